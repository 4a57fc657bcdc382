//! A signed DNS of a few zones for tests: it answers on a port of the loopback as a resolver does, and lies when told to.

use hickory_net::proto::dnssec::crypto::Ed25519SigningKey;
use hickory_net::proto::dnssec::rdata::sig::SigInput;
use hickory_net::proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS, NSEC, NSEC3, RRSIG};
use hickory_net::proto::dnssec::{DigestType, DnssecSigner, Nsec3HashAlgorithm, PublicKey, SigningKey, TBS};
use hickory_net::proto::op::{Message, MessageType, OpCode};
use hickory_net::proto::rr::rdata::{NS, SOA};
use hickory_net::proto::rr::{DNSClass, Name, RData, Record, RecordSet, RecordType, SerialNumber};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

type Lie = Box<dyn FnMut(&mut Message) + Send>;

/// The zones, and the port.
pub struct World {
    pub address: SocketAddr,
    pub anchors: String,
    state: Arc<Mutex<State>>,
}

struct State {
    keys: BTreeMap<Name, DnssecSigner>,
    records: BTreeMap<(Name, RecordType), Vec<Record>>,
    /// Inception and expiration of the signatures of these names, where they are not an hour from now.
    times: BTreeMap<Name, (i64, i64)>,
    unsigned: Vec<Name>,
    /// Names are denied by their hashes (NSEC3).
    hashed: bool,
    cut_off: bool,
    lie: Lie,
}

pub fn name(text: &str) -> Name {
    let mut name = Name::from_str(text).unwrap();
    name.set_fqdn(true);
    name
}

pub fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn signer(zone: &Name) -> DnssecSigner {
    let pkcs8 = Ed25519SigningKey::generate_pkcs8().unwrap();
    let key = Ed25519SigningKey::from_pkcs8(&pkcs8).unwrap();
    let dnskey = DNSKEY::from_key(&key.to_public_key().unwrap());
    DnssecSigner::new(dnskey, Box::new(key), zone.clone(), Duration::from_hours(1))
}

/// The hash of a name: 20 bytes.
pub fn hash(at: &Name) -> Vec<u8> {
    Nsec3HashAlgorithm::SHA1.hash(&[], at, 0).unwrap().as_ref().to_vec()
}

/// The record of a zone (NSEC3) that tells the types of a name by its hash, and that there is none up to `width` after it.
pub fn hashed(zone: &Name, hash: &[u8], width: u8, types: Vec<RecordType>) -> Record {
    let until = |next: &[u8], types| NSEC3::new(Nsec3HashAlgorithm::SHA1, false, 0, Vec::new(), next.to_vec(), types);
    let mut next = hash.to_vec();
    next[19] = next[19].wrapping_add(width);
    let label = until(hash, Vec::new()).next_hashed_owner_name_base32().unwrap().clone();
    let owner = zone.prepend_label(label).unwrap();
    Record::from_rdata(owner, 60, RData::DNSSEC(DNSSECRData::NSEC3(until(&next, types))))
}

impl World {
    /// The root, `example`, and `alpha.example`, each vouched for by the one above it.
    pub fn new() -> Self {
        let mut state = State {
            keys: BTreeMap::new(),
            records: BTreeMap::new(),
            times: BTreeMap::new(),
            unsigned: Vec::new(),
            hashed: false,
            cut_off: false,
            lie: Box::new(|_| {}),
        };
        for zone in [".", "example.", "alpha.example."] {
            state.found(&name(zone));
            state.vouch(&name(zone), DigestType::SHA256);
        }
        let anchors = anchor(&state.keys[&Name::root()]);
        // A port that both protocols have free.
        let (socket, listener) = loop {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            if let Ok(listener) = TcpListener::bind(socket.local_addr().unwrap()) {
                break (socket, listener);
            }
        };
        let address = socket.local_addr().unwrap();
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::downgrade(&state);
        let over_tcp = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(state) = over_tcp.upgrade() else { return };
                let _ = serve(stream, &state);
            }
        });
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                let Some(state) = shared.upgrade() else { return };
                let Ok(question) = Message::from_vec(&buffer[..length]) else { continue };
                let mut state = state.lock().unwrap();
                let mut answer = state.answer(&question);
                if state.cut_off {
                    answer = answer.truncate();
                }
                socket.send_to(&answer.to_vec().unwrap(), from).unwrap();
            }
        });
        Self { address, anchors, state }
    }

    pub fn add(&self, at: &str, data: RData) {
        self.state.lock().unwrap().add(&name(at), data);
    }

    pub fn clear(&self, at: &str, kind: RecordType) {
        self.state.lock().unwrap().records.remove(&(name(at), kind));
    }

    /// Signatures over what `at` has are from one time to another.
    pub fn times(&self, at: &str, from: i64, to: i64) {
        self.state.lock().unwrap().times.insert(name(at), (from, to));
    }

    /// A zone without signatures, for which its parent has no DS.
    pub fn unsign(&self, zone: &str) {
        let mut state = self.state.lock().unwrap();
        state.records.remove(&(name(zone), RecordType::DS));
        state.records.remove(&(name(zone), RecordType::DNSKEY));
        state.unsigned.push(name(zone));
    }

    /// One more zone, for which its parent has no DS.
    pub fn found(&self, zone: &str) {
        self.state.lock().unwrap().found(&name(zone));
    }

    /// The parent has this digest of the zone's key, and no other.
    pub fn vouch(&self, zone: &str, digest: DigestType) {
        let mut state = self.state.lock().unwrap();
        state.records.remove(&(name(zone), RecordType::DS));
        state.vouch(&name(zone), digest);
    }

    /// From now on names are denied by their hashes.
    pub fn hash_names(&self) {
        self.state.lock().unwrap().hashed = true;
    }

    /// The key of a zone.
    pub fn key(&self, zone: &str) -> DNSKEY {
        self.state.lock().unwrap().keys[&name(zone)].to_dnskey()
    }

    /// Records with a signature by the key of `signer`, which says that it is of `zone` and of so many labels.
    pub fn sign(&self, signer: &str, zone: &str, labels: u8, records: &[Record]) -> Vec<Record> {
        let state = self.state.lock().unwrap();
        [records, &[state.signature(records, &name(signer), &name(zone), labels)]].concat()
    }

    /// New keys that the parent does not vouch for.
    pub fn rekey(&self, zone: &str) {
        self.state.lock().unwrap().rekey(&name(zone));
    }

    /// Changes answers on their way.
    pub fn lie(&self, lie: impl FnMut(&mut Message) + Send + 'static) {
        self.state.lock().unwrap().lie = Box::new(lie);
    }

    /// Nothing fits into an answer over UDP any more.
    pub fn cut_off_over_udp(&self) {
        self.state.lock().unwrap().cut_off = true;
    }

    /// What it answers now, for a replay.
    pub fn answer(&self, at: &str, kind: RecordType) -> Message {
        let mut question = Message::query();
        question.add_query(hickory_net::proto::op::Query::query(name(at), kind));
        self.state.lock().unwrap().answer(&question)
    }
}

/// Answers over one connection until it is closed.
fn serve(mut stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut question)?;
        let answer = state.lock().unwrap().answer(&Message::from_vec(&question).unwrap()).to_vec().unwrap();
        stream.write_all(&[&u16::try_from(answer.len()).unwrap().to_be_bytes(), answer.as_slice()].concat())?;
    }
}

/// The trust anchor of a key, as a master file has it.
pub fn anchor(signer: &DnssecSigner) -> String {
    use base64::Engine as _;
    let key = base64::engine::general_purpose::STANDARD.encode(signer.dnskey().public_key().public_bytes());
    format!(". IN DNSKEY 257 3 15 {key}\n")
}

/// The anchor of a key that nobody has.
pub fn other_anchor() -> String {
    anchor(&signer(&Name::root()))
}

impl State {
    fn add(&mut self, at: &Name, data: RData) {
        self.records.entry((at.clone(), data.record_type())).or_default().push(Record::from_rdata(
            at.clone(),
            60,
            data,
        ));
    }

    fn found(&mut self, zone: &Name) {
        let soa = SOA::new(name("ns."), name("op."), 1, 3600, 600, 86400, 60);
        self.add(zone, RData::SOA(soa));
        self.add(zone, RData::NS(NS(name("ns."))));
        self.rekey(zone);
    }

    fn rekey(&mut self, zone: &Name) {
        let signer = signer(zone);
        self.records.remove(&(zone.clone(), RecordType::DNSKEY));
        self.add(zone, RData::DNSSEC(DNSSECRData::DNSKEY(signer.to_dnskey())));
        self.keys.insert(zone.clone(), signer);
    }

    fn vouch(&mut self, zone: &Name, digest: DigestType) {
        if !zone.is_root() {
            let key = self.keys[zone].dnskey().public_key().clone();
            let ds = DS::from_key(&key, zone, digest).unwrap();
            self.add(zone, RData::DNSSEC(DNSSECRData::DS(ds)));
        }
    }

    /// The zone that has this; a DS record stands in the parent.
    fn zone(&self, at: &Name, kind: RecordType) -> Name {
        let mut zone = if kind == RecordType::DS && !at.is_root() { at.base_name() } else { at.clone() };
        while !self.keys.contains_key(&zone) {
            zone = zone.base_name();
        }
        zone
    }

    fn signed(&self, records: &[Record], zone: &Name) -> Vec<Record> {
        let mut all = records.to_vec();
        if !self.unsigned.contains(zone) {
            all.push(self.signature(records, zone, zone, records[0].name.num_labels()));
        }
        all
    }

    fn signature(&self, records: &[Record], signer: &Name, zone: &Name, labels: u8) -> Record {
        let (at, kind, ttl) = (records[0].name.clone(), records[0].record_type(), records[0].ttl);
        let signer = &self.keys[signer];
        let (from, to) = self.times.get(&at).copied().unwrap_or((now() - 3600, now() + 3600));
        let input = SigInput {
            type_covered: kind,
            algorithm: signer.key().algorithm(),
            num_labels: labels,
            original_ttl: ttl,
            sig_expiration: SerialNumber::new(u32::try_from(to).unwrap()),
            sig_inception: SerialNumber::new(u32::try_from(from).unwrap()),
            key_tag: signer.calculate_key_tag().unwrap(),
            signer_name: zone.clone(),
        };
        let mut set = RecordSet::new(at.clone(), kind, 0);
        set.set_records(records.to_vec());
        let tbs = TBS::from_input(&at, DNSClass::IN, &input, set.records_without_rrsigs()).unwrap();
        let signature = signer.sign(&tbs).unwrap();
        Record::from_rdata(at, ttl, RData::DNSSEC(DNSSECRData::RRSIG(RRSIG::from_sig(input, signature))))
    }

    fn answer(&mut self, question: &Message) -> Message {
        let query = question.queries[0].clone();
        let mut answer = Message::new(question.id, MessageType::Response, OpCode::Query);
        answer.add_query(query.clone());
        answer.metadata.recursion_desired = true;
        answer.metadata.recursion_available = true;
        // As a resolver that claims to have validated everything.
        answer.metadata.authentic_data = true;
        let (at, kind) = (query.name().clone(), query.query_type());
        let zone = self.zone(&at, kind);
        let there = self.records.get(&(at.clone(), kind));
        if let Some(records) = there.or_else(|| self.records.get(&(at.clone(), RecordType::CNAME))) {
            answer.add_answers(self.signed(records, &zone));
        } else {
            answer.add_authorities(self.signed(&self.records[&(zone.clone(), RecordType::SOA)], &zone));
            if !self.unsigned.contains(&zone) {
                // "Compact denial": the name itself, and nothing between it and the next that could be.
                let types: Vec<RecordType> = if kind == RecordType::DS {
                    vec![RecordType::NS]
                } else {
                    self.records.keys().filter(|(name, _)| *name == at).map(|(_, kind)| *kind).collect()
                };
                let nsec = if self.hashed {
                    hashed(&zone, &hash(&at), 1, types)
                } else {
                    let next = at.prepend_label(b"\x00".as_slice()).unwrap();
                    let nsec = RData::DNSSEC(DNSSECRData::NSEC(NSEC::new_cover_self(next, types)));
                    Record::from_rdata(at, 60, nsec)
                };
                answer.add_authorities(self.signed(&[nsec], &zone));
            }
        }
        (self.lie)(&mut answer);
        answer
    }
}
