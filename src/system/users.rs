//! Users and groups, read from the files of the host: no NSS, which a static binary cannot use.
