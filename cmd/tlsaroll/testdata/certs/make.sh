#!/usr/bin/env bash
# Makes the certificates anew. The keys are thrown away.
set -euo pipefail
cd "$(dirname "$0")"
out=$PWD
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cd "$work"

cat >ca.cnf <<EOF
[ca]
default_ca = any
[any]
database = $work/index
new_certs_dir = $work
rand_serial = yes
default_md = sha256
policy = any_name
unique_subject = no
[any_name]
commonName = supplied
EOF
: >index

key() { openssl genpkey -out "$1.key" "${@:2}" 2>/dev/null; }

# issue NAME SUBJECT ISSUER EXTENSIONS [START END]
issue() {
  local by=(-cert "$3.pem" -keyfile "$3.key")
  if [ "$3" = self ]; then by=(-selfsign -keyfile "$1.key"); fi
  printf '%b' "$4" >"$1.ext"
  openssl req -new -key "$1.key" -subj "/CN=$2" -out "$1.csr"
  openssl ca -batch -config ca.cnf -in "$1.csr" "${by[@]}" -extfile "$1.ext" \
    -startdate "${5:-20200101000000Z}" -enddate "${6:-21200101000000Z}" -notext -out "$1.pem" 2>/dev/null
}

ca='basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n'
leaf='basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nsubjectAltName=DNS:mx1.example.org,DNS:*.mail.example.org\n'

for name in root intermediate leaf expired selfsigned; do
  key $name -algorithm EC -pkeyopt ec_paramgen_curve:P-256
done
key rsa -algorithm RSA -pkeyopt rsa_keygen_bits:2048
issue root Root self "$ca"
issue intermediate Intermediate root "$ca"
issue leaf mx1.example.org intermediate "$leaf"
issue rsa mx1.example.org intermediate "$leaf"
issue expired mx1.example.org intermediate "$leaf" 20210101000000Z 20210201000000Z
issue selfsigned mx1.example.org self "$leaf"

cat leaf.pem intermediate.pem >"$out/fullchain.pem"
cat leaf.pem intermediate.pem root.pem >"$out/withroot.pem"
cat root.pem >"$out/root.pem"
cat - leaf.pem intermediate.pem >"$out/combined.pem" <<EOF
-----BEGIN PRIVATE KEY-----
not base64: nobody has any business here!
-----END PRIVATE KEY-----
EOF
cat rsa.pem intermediate.pem >"$out/rsa.pem"
cat expired.pem intermediate.pem >"$out/expired.pem"
cat intermediate.pem leaf.pem >"$out/wrong-way.pem"
cat leaf.pem root.pem >"$out/gap.pem"
cat selfsigned.pem >"$out/selfsigned.pem"

spki() { openssl x509 -in "$1.pem" -pubkey -noout | openssl pkey -pubin -outform der; }
for name in leaf intermediate root rsa expired selfsigned; do
  echo "$name 1 1 $(spki $name | sha256sum | cut -d' ' -f1)"
  echo "$name 1 2 $(spki $name | sha512sum | cut -d' ' -f1)"
  echo "$name 0 1 $(openssl x509 -in $name.pem -outform der | sha256sum | cut -d' ' -f1)"
done >"$out/digests"
