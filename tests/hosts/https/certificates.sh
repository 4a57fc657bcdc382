#!/bin/sh
# Makes an authority and certificates signed by it in the folder $1: for servers that are as they should be, for such
# that are not, and for a client.
set -eu
cd "$1"

key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }

signed() { # NAME SUBJECT_ALT_NAME [DAYS AGO]
    name=$1 alternative=$2 ago=${3:-0}
    key "$name"
    openssl req -new -key "$name.key" -subj "/CN=$name" -out "$name.csr"
    printf 'basicConstraints=CA:FALSE\nsubjectAltName=%s\n' "$alternative" >"$name.ext"
    faketime -f "-${ago}d" openssl x509 -req -in "$name.csr" -days 2 \
        -CA ca.pem -CAkey ca.key -CAcreateserial -extfile "$name.ext" -out "$name.pem"
}

key ca
openssl req -x509 -key ca.key -subj '/CN=authority of the test' -days 2 -out ca.pem
signed good DNS:localhost,IP:127.0.0.1
signed expired DNS:localhost 3
signed other DNS:other.lab
signed client DNS:client
