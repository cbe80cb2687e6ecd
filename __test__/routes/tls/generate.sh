#!/bin/sh
# Makes the throw-away certificates beside this file: an authority, and what it
# signs for two servers and a client; and one of RSA that signs itself. They are
# valid for a hundred years.
set -eu
cd "$(dirname "$0")"

new_key() {
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"
}

# sign NAME COMMON_NAME EXTENSIONS
sign() {
  new_key "$1"
  openssl req -new -key "$1.key" -subj "/CN=$2" -out "$1.csr"
  printf '%s\n' "$3" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA authority.crt -CAkey authority.key \
    -days 36500 -extfile "$1.ext" -out "$1.crt"
  rm "$1.csr" "$1.ext"
}

new_key authority
openssl req -x509 -new -key authority.key -subj '/CN=oxws test authority' \
  -days 36500 -addext 'basicConstraints=critical,CA:TRUE' -out authority.crt
sign one one.example 'subjectAltName=DNS:one.example,IP:127.0.0.1'
sign two two.example 'subjectAltName=DNS:two.example'
sign client somebody 'extendedKeyUsage=clientAuth'
rm -f authority.key authority.srl
openssl req -x509 -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.crt \
  -subj /CN=localhost -days 36500 \
  -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1'
