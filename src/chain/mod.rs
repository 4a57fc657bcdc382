//! Pure Ethereum: keys, keystore, enode, genesis, what client versions read, RPC.
