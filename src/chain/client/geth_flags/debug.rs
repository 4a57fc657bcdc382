//! Logs, profiles and traces of the program.

use super::super::row::Row;
use super::super::version::{ALWAYS, since};
use super::{debug, flag};

/// One line a spelling: logs, profiles and traces.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    flag("debug.logslowblock", "--debug.logslowblock", since(1, 17, 0)),
    flag("fakepow", "--fakepow", ALWAYS.before(1, 12, 0)),
    debug("go-execution-trace", "--trace", ALWAYS.before(1, 15, 0)),
    debug("go-execution-trace", "--go-execution-trace", since(1, 15, 0)),
    flag("gogc", "--gogc", since(1, 17, 5)),
    debug("log.backtrace", "--backtrace", ALWAYS.before(1, 10, 2)),
    debug("log.backtrace", "--log.backtrace", since(1, 10, 2).before(1, 17, 4)),
    debug("log.compress", "--log.compress", since(1, 11, 6)),
    debug("log.debug", "--debug", ALWAYS.before(1, 10, 2)),
    debug("log.debug", "--log.debug", since(1, 10, 2).before(1, 17, 4)),
    debug("log.file", "--log.file", since(1, 11, 0)),
    debug("log.maxage", "--log.maxage", since(1, 11, 6)),
    debug("log.maxbackups", "--log.maxbackups", since(1, 11, 6)),
    debug("log.maxsize", "--log.maxsize", since(1, 11, 6)),
    debug("log.rotate", "--log.rotate", since(1, 11, 6)),
    debug("log.vmodule", "--vmodule", ALWAYS),
    debug("log.vmodule", "--log.vmodule", since(1, 11, 6)),
    flag("memorylimit", "--memorylimit", since(1, 17, 5)),
    flag("nocompaction", "--nocompaction", ALWAYS.before(1, 15, 7)),
    debug("pprof.blockprofilerate", "--blockprofilerate", ALWAYS.before(1, 10, 0)),
    debug("pprof.blockprofilerate", "--pprof.blockprofilerate", since(1, 9, 14)),
    debug("pprof.cpuprofile", "--cpuprofile", ALWAYS.before(1, 10, 0)),
    debug("pprof.cpuprofile", "--pprof.cpuprofile", since(1, 9, 14)),
    debug("pprof.memprofilerate", "--memprofilerate", ALWAYS.before(1, 10, 0)),
    debug("pprof.memprofilerate", "--pprof.memprofilerate", since(1, 9, 14)),
    debug("pyroscope", "--pyroscope", since(1, 17, 0)),
    debug("pyroscope.password", "--pyroscope.password", since(1, 17, 0)),
    debug("pyroscope.server", "--pyroscope.server", since(1, 17, 0)),
    debug("pyroscope.tags", "--pyroscope.tags", since(1, 17, 0)),
    debug("pyroscope.username", "--pyroscope.username", since(1, 17, 0)),
    flag("stateless-self-validation", "--stateless-self-validation", since(1, 16, 4)),
    flag("vm.evm", "--vm.evm", since(1, 8, 16).before(1, 10, 5)),
    flag("vm.ewasm", "--vm.ewasm", since(1, 8, 16).before(1, 10, 5)),
    flag("vmdebug", "--vmdebug", ALWAYS),
    flag("vmtrace", "--vmtrace", since(1, 14, 0)),
    flag("vmtrace.jsonconfig", "--vmtrace.jsonconfig", since(1, 14, 0)),
    flag("vmwitnessstats", "--vmwitnessstats", since(1, 16, 4)),
];
