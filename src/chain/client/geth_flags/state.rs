//! Where data is kept, how much of it, and what is held in memory.

use super::super::row::Row;
use super::super::version::{ALWAYS, since};
use super::flag;

/// One line a spelling: data and memory.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    flag("bintrie.groupdepth", "--bintrie.groupdepth", since(1, 17, 3)),
    flag("bloomfilter.size", "--bloomfilter.size", since(1, 10, 0).before(1, 15, 9)),
    flag("cache.blocklogs", "--cache.blocklogs", since(1, 10, 22)),
    flag("cache.database", "--cache.database", ALWAYS),
    flag("cache.gc", "--cache.gc", ALWAYS),
    flag("cache.noprecompile", "--cache.noprecompile", since(1, 17, 6)),
    flag("cache.noprefetch", "--cache.noprefetch", since(1, 9, 0)),
    flag("cache.preimages", "--cache.preimages", since(1, 9, 25)),
    flag("cache.snapshot", "--cache.snapshot", since(1, 9, 13)),
    flag("cache.trie", "--cache.trie", since(1, 8, 19)),
    flag("cache.trie.journal", "--cache.trie.journal", since(1, 9, 19).before(1, 17, 4)),
    flag("cache.trie.rejournal", "--cache.trie.rejournal", since(1, 9, 19).before(1, 17, 4)),
    flag("crypto.kzg", "--crypto.kzg", since(1, 12, 0)),
    flag("datadir.ancient", "--datadir.ancient", since(1, 9, 0)),
    flag("datadir.era", "--datadir.era", since(1, 16, 0)),
    flag("datadir.minfreedisk", "--datadir.minfreedisk", since(1, 10, 0)),
    flag("exitwhensynced", "--exitwhensynced", since(1, 9, 0)),
    flag("fdlimit", "--fdlimit", since(1, 10, 17)),
    flag("history.chain", "--history.chain", since(1, 15, 6)),
    flag("history.logs", "--history.logs", since(1, 15, 6)),
    flag("history.logs.disable", "--history.logs.disable", since(1, 15, 6)),
    flag("history.logs.export", "--history.logs.export", since(1, 15, 6)),
    flag("history.trienode", "--history.trienode", since(1, 17, 0)),
    flag("history.trienode.full-value-checkpoint", "--history.trienode.full-value-checkpoint", since(1, 17, 0)),
    flag("ignore-legacy-receipts", "--ignore-legacy-receipts", since(1, 10, 19).before(1, 11, 0)),
    flag("remotedb", "--remotedb", since(1, 10, 18)),
    flag("snap.v2", "--snap.v2", since(1, 17, 4)),
    flag("state.size-tracking", "--state.size-tracking", since(1, 16, 4)),
    flag("synctarget", "--synctarget", since(1, 11, 0)),
    flag("trie-cache-gens", "--trie-cache-gens", ALWAYS.before(1, 9, 0)),
];
