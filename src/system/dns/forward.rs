//! The way to a resolver: over UDP, and over TCP where an answer does not fit; the next resolver where one does not answer.

use super::sift::Sieve;
use hickory_net::NetError;
use hickory_net::proto::op::{DnsRequest, DnsResponse, ResponseCode};
use hickory_net::runtime::TokioRuntimeProvider;
use hickory_net::tcp::TcpClientStream;
use hickory_net::udp::UdpClientStream;
use hickory_net::xfer::{DnsHandle, DnsResponseStream, FirstAnswer};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Servers to ask, in order.
#[derive(Clone)]
pub struct Forward {
    pub servers: Arc<[SocketAddr]>,
    pub timeout: Duration,
    pub sieve: Sieve,
}

impl DnsHandle for Forward {
    type Response = DnsResponseStream;
    type Runtime = TokioRuntimeProvider;

    fn send(&self, mut request: DnsRequest) -> Self::Response {
        // The resolver shall give what it has, without judging: the judging is done here.
        request.metadata.checking_disabled = true;
        request.metadata.authentic_data = false;
        let Self { servers, timeout, sieve } = self.clone();
        DnsResponseStream::from(Box::pin(async move {
            let mut troubles = Vec::new();
            for server in servers.iter() {
                match one(*server, timeout, &request).await {
                    Ok(mut response) => match response.response_code {
                        ResponseCode::NoError | ResponseCode::NXDomain => {
                            if let Some(query) = request.queries.first() {
                                sieve.sift(query, &mut response);
                            }
                            return Ok(response);
                        }
                        code => troubles.push(format!("{server} answers {}", code.to_str())),
                    },
                    Err(NetError::Timeout) => {
                        troubles.push(format!("{server} does not answer within {} s", timeout.as_secs_f32()));
                    }
                    Err(error) => troubles.push(format!("{server}: {error}")),
                }
            }
            Err(NetError::Msg(troubles.join("; ")))
        }))
    }
}

async fn one(server: SocketAddr, timeout: Duration, request: &DnsRequest) -> Result<DnsResponse, NetError> {
    let provider = TokioRuntimeProvider::new();
    let udp = UdpClientStream::builder(server, provider.clone()).with_timeout(Some(timeout)).exchange();
    let response = udp.send(request.clone()).first_answer().await?;
    if !response.truncation {
        return Ok(response);
    }
    let tcp = TcpClientStream::exchange(server, None, timeout, None, provider).await?;
    tcp.send(request.clone()).first_answer().await
}
