#!/bin/sh
# For security profile 3: whose client certificates count.
#   client-certificates.sh ca <ca.pem      certificates of authorities, one after the other
#   client-certificates.sh crl <crl.pem    their lists of revoked certificates: one for each authority
#   client-certificates.sh off             ask nobody for a certificate any more
. "$(dirname "$0")/tls-common.sh"
folder=$LEVITY_TLS_DIR/clients
mkdir -p "$folder"
case ${1:-} in
ca)
    cat >"$folder/ca.new"
    openssl crl2pkcs7 -nocrl -certfile "$folder/ca.new" 2>/dev/null |
        openssl pkcs7 -print_certs -noout >"$folder/ca.names" 2>/dev/null || true
    if ! grep -q subject "$folder/ca.names"; then
        rm -f "$folder/ca.new" "$folder/ca.names"
        die "no certificate in PEM form came in"
    fi
    cat "$folder/ca.names" >&2
    rm "$folder/ca.names"
    mv "$folder/ca.new" "$folder/ca.pem"
    say "client certificates of these authorities count now"
    if [ -s "$folder/crl.pem" ]; then
        missing=$(without_list "$folder/ca.pem" "$folder/crl.pem")
        [ -z "$missing" ] || say "but nobody gets in with one of these until you bring their list of revoked certificates:
$missing"
    fi
    ;;
crl)
    [ -s "$folder/ca.pem" ] || die "first give the authorities: client-certificates.sh ca"
    cat >"$folder/crl.new"
    openssl crl -noout -issuer -nextupdate -in "$folder/crl.new" >&2 || { rm "$folder/crl.new"; die "no list of revoked certificates in PEM form came in"; }
    missing=$(without_list "$folder/ca.pem" "$folder/crl.new") over=$(ending_lists "$folder/crl.new" 0)
    if [ -n "$missing$over" ]; then
        rm "$folder/crl.new"
        [ -z "$over" ] || die "this list is past its end, and would let nobody in:
$over"
        die "without a list of each authority nobody would get in with a certificate of these:
$missing"
    fi
    mv "$folder/crl.new" "$folder/crl.pem"
    say "revoked certificates are refused now. Bring a new list before nextUpdate: after it nobody gets in"
    ;;
off)
    rm -f "$folder/ca.pem" "$folder/crl.pem"
    say "nobody is asked for a certificate any more"
    ;;
*) die "usage: client-certificates.sh ca|crl|off, with the PEM file on standard input" ;;
esac
