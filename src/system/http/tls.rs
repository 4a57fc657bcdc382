//! TLS as the host wants it: its own certificate authorities, our certificate for servers that ask, and what a refusal means.

use super::super::System;
use crate::base::Failure;
use crate::base::failure::{Context, Result};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::{AlertDescription, CertificateError, Error};
use std::sync::Arc;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

/// How TLS is checked.
#[derive(Debug, Clone)]
pub struct Trust {
    /// Refuse a server that cannot prove its name.
    pub verify: bool,
    /// A file of certificate authorities (PEM) to trust beside the host's.
    pub ca_path: Option<String>,
    /// Our certificate (PEM), for servers that want one; may hold the key too.
    pub client_cert: Option<String>,
    /// The key of `client_cert` (PEM).
    pub client_key: Option<String>,
}

impl Default for Trust {
    fn default() -> Self {
        Self { verify: true, ca_path: None, client_cert: None, client_key: None }
    }
}

/// Where distributions keep their certificate authorities: Debian, Red Hat, SUSE, Alpine.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

impl System {
    /// What `trust` asks for. Without authorities on the host and in `ca_path` no server is trusted.
    pub(super) fn tls(&self, trust: &Trust) -> Result<TlsConfig> {
        let mut roots = Vec::new();
        if trust.verify {
            roots = self.authorities();
            if let Some(path) = &trust.ca_path {
                roots.extend(self.certificates(path)?);
            }
        }
        let client = match &trust.client_cert {
            Some(path) => Some(self.client_certificate(path, trust.client_key.as_deref().unwrap_or(path))?),
            None => None,
        };
        Ok(TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .disable_verification(!trust.verify)
            .client_cert(client)
            .unversioned_rustls_crypto_provider(Arc::new(default_provider()))
            .build())
    }

    /// The host's certificate authorities: those of `SSL_CERT_FILE` and no others, or its distribution's.
    fn authorities(&self) -> Vec<Certificate<'static>> {
        let setting = self.setting("SSL_CERT_FILE");
        let named = setting.as_deref().map(|path| [path]);
        let paths = named.as_ref().map_or(BUNDLES, |path| path.as_slice());
        let bundle = paths.iter().find_map(|path| std::fs::read(self.locate(path.as_ref())).ok());
        bundle.map(|pem| parse(&pem)).unwrap_or_default()
    }

    fn certificates(&self, path: &str) -> Result<Vec<Certificate<'static>>> {
        let found = parse(&std::fs::read(self.locate(path.as_ref())).context(path)?);
        if found.is_empty() {
            return Err(Failure::new(format!("{path} holds no certificate")).help("it must be in PEM format"));
        }
        Ok(found)
    }

    fn client_certificate(&self, certificate: &str, key: &str) -> Result<ClientCert> {
        let chain = self.certificates(certificate)?;
        let pem = std::fs::read(self.locate(key.as_ref())).context(key)?;
        let no_key = |_| {
            Failure::new(format!("{key} holds no private key")).help("it must be in PEM format and without a password")
        };
        let parsed = PrivateKeyDer::from_pem_slice(&pem).map_err(no_key)?;
        let der = chain.iter().map(|certificate| CertificateDer::from(certificate.der().to_vec())).collect();
        // ureq would panic.
        rustls::sign::CertifiedKey::from_der(der, parsed, &default_provider()).map_err(|error| match error {
            Error::InconsistentKeys(_) => Failure::new(format!("the key in {key} is not that of {certificate}")),
            other => Failure::new(format!("{certificate} and {key} cannot be used: {other}")),
        })?;
        let key = PrivateKey::from_pem(&pem).map_err(|_| Failure::new(format!("{key} holds no private key")))?;
        Ok(ClientCert::new_with_certs(&chain, key))
    }
}

fn parse(pem: &[u8]) -> Vec<Certificate<'static>> {
    parse_pem(pem)
        .filter_map(|item| if let Ok(PemItem::Certificate(certificate)) = item { Some(certificate) } else { None })
        .collect()
}

/// What is wrong with TLS, if the failed request's error says.
pub(super) fn trouble(error: &ureq::Error) -> Option<Failure> {
    let error = match error {
        ureq::Error::Rustls(error) => error,
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref::<Error>()?,
        _ => return None,
    };
    Some(match error {
        Error::InvalidCertificate(error) => certificate_trouble(error).with("certificate", error.to_string()),
        Error::InvalidMessage(_) => {
            Failure::new("the server does not speak TLS").help("is it http:// rather than https://?")
        }
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            Failure::new("the server wants a certificate from us")
                .help("name its file in `client_cert`, and its key's in `client_key`")
        }
        Error::AlertReceived(alert) => Failure::new(format!("the server breaks TLS off: {alert:?}"))
            .help("where a server wants a certificate from us, name one it trusts in `client_cert`"),
        other => Failure::new(format!("TLS: {other}")),
    })
}

fn certificate_trouble(error: &CertificateError) -> Failure {
    let time = |time: &UnixTime| {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        jiff::Timestamp::from_second(seconds).map_or_else(|_| format!("{seconds} s"), |time| time.to_string())
    };
    let clock = "renew it, or set this host's clock; `validate_certs: false` would trust anybody";
    match error {
        CertificateError::UnknownIssuer => {
            Failure::new("the server's certificate is signed by no authority that this host trusts").help(
                "name the authority's file in `ca_path`, or install it on the host; \
                 `validate_certs: false` would trust anybody",
            )
        }
        CertificateError::ExpiredContext { time: now, not_after } => {
            let (end, now) = (time(not_after), time(now));
            Failure::new(format!("the server's certificate has expired: it was valid until {end}, here it is {now}"))
                .help(clock)
        }
        CertificateError::NotValidYetContext { time: now, not_before } => {
            let (start, now) = (time(not_before), time(now));
            Failure::new(format!("the server's certificate is not valid yet: only from {start}, here it is {now}"))
                .help(clock)
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            // They come as `DnsName("node1.lab")` and `IpAddress(10.0.0.1)`.
            let bare = |name: &String| {
                let inner = name.split_once('(').map_or(name.as_str(), |(_, rest)| rest.trim_end_matches(')'));
                format!("`{}`", inner.trim_matches('"'))
            };
            let names: Vec<_> = presented.iter().map(bare).collect();
            let names = if names.is_empty() { "no name".to_owned() } else { names.join(", ") };
            Failure::new(format!("the server's certificate is not for `{}` but for {names}", expected.to_str()))
                .help("use that name in the URL; `validate_certs: false` would trust anybody")
        }
        // The parser of certificates has a word for it, rustls has not.
        other if other.to_string().contains("CaUsedAsEndEntity") => Failure::new(
            "the server's certificate is that of an authority, which cannot prove a server's name",
        )
        .help(
            "sign a certificate for the server with it (with CA:FALSE), and name the authority's file in `ca_path`; \
                 `validate_certs: false` would trust anybody",
        ),
        other => Failure::new(format!("the server's certificate cannot be trusted: {other}")),
    }
}
