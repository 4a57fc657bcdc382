//! Pending transactions, and the price that is advised for them.

use super::super::row::Row;
use super::super::version::{ALWAYS, since};
use super::{flag, old};

/// One line a spelling: pending transactions and gas prices.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    flag("blobpool.datacap", "--blobpool.datacap", since(1, 12, 1)),
    flag("blobpool.datadir", "--blobpool.datadir", since(1, 12, 1)),
    flag("blobpool.fetchprobability", "--blobpool.fetchprobability", since(1, 17, 5)),
    flag("blobpool.pricebump", "--blobpool.pricebump", since(1, 12, 1)),
    old("gpo.blocks", "--gpoblocks", ALWAYS.before(1, 10, 0)),
    flag("gpo.blocks", "--gpo.blocks", since(1, 9, 14)),
    flag("gpo.ignoreprice", "--gpo.ignoreprice", since(1, 10, 4)),
    flag("gpo.maxprice", "--gpo.maxprice", since(1, 9, 22)),
    old("gpo.percentile", "--gpopercentile", ALWAYS.before(1, 10, 0)),
    flag("gpo.percentile", "--gpo.percentile", since(1, 9, 14)),
    flag("txpool.accountqueue", "--txpool.accountqueue", ALWAYS),
    flag("txpool.accountslots", "--txpool.accountslots", ALWAYS),
    flag("txpool.globalqueue", "--txpool.globalqueue", ALWAYS),
    flag("txpool.globalslots", "--txpool.globalslots", ALWAYS),
    flag("txpool.journal", "--txpool.journal", ALWAYS),
    flag("txpool.lifetime", "--txpool.lifetime", ALWAYS),
    flag("txpool.locals", "--txpool.locals", since(1, 8, 14)),
    flag("txpool.nolocals", "--txpool.nolocals", ALWAYS),
    flag("txpool.pricebump", "--txpool.pricebump", ALWAYS),
    flag("txpool.pricelimit", "--txpool.pricelimit", ALWAYS),
    flag("txpool.rejournal", "--txpool.rejournal", ALWAYS),
];
