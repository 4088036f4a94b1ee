#!/bin/sh
# self-signed-cert.sh DOMAIN: makes an RSA and an ECDSA certificate that nginx can start with. No
# browser and no charger trusts them; lets-encrypt-cert.sh replaces them, and they never replace
# its ones.
. "$(dirname "$0")/tls-common.sh"
[ $# -eq 1 ] || die "usage: self-signed-cert.sh DOMAIN"
domain=$1
check_domain "$domain"

if is_address "$domain"; then name=IP:$domain; else name=DNS:$domain; fi
# A common name has at most 64 characters; clients read the other name.
common=$domain
[ ${#common} -le 64 ] || common=levity

for kind in rsa ecdsa; do
    case $(in_use $kind) in
    ../live/*)
        say "there is a certificate of an authority already ($kind); it stays"
        continue
        ;;
    esac
    made=$LEVITY_TLS_DIR/self-signed/$domain-$kind
    rm -rf "$made.new"
    mkdir -p "$made.new"
    if [ $kind = rsa ]; then key='-newkey rsa:2048'; else key='-newkey ec -pkeyopt ec_paramgen_curve:P-256'; fi
    # $key is several words.
    # shellcheck disable=SC2086
    openssl req -x509 $key -nodes -sha256 -days 397 -subj "/CN=$common" \
        -addext "subjectAltName=$name" -addext 'extendedKeyUsage=serverAuth' \
        -keyout "$made.new/privkey.pem" -out "$made.new/fullchain.pem" 2>"$made.new/openssl.log" ||
        { cat "$made.new/openssl.log" >&2; die "openssl could not make a certificate"; }
    rm -f "$made.new/openssl.log"
    rm -rf "$made"
    mv "$made.new" "$made"
    use $kind "../self-signed/$domain-$kind"
    say "made a self-signed $kind certificate for $domain"
done
