#!/bin/sh
# lets-encrypt-cert.sh DOMAIN EMAIL: has Let's Encrypt certify DOMAIN, with an RSA and an ECDSA key,
# and lets nginx use both. The domain must lead here, and port 80 must be open to the world.
. "$(dirname "$0")/tls-common.sh"
[ $# -eq 2 ] || die "usage: lets-encrypt-cert.sh DOMAIN EMAIL"
domain=$1 email=$2
check_domain "$domain"
is_address "$domain" && die "Let's Encrypt certifies names; for an address: self-signed-cert.sh"
case $email in *?@?*) ;; *) die "'$email' is not an e-mail address" ;; esac

for kind in rsa ecdsa; do
    if [ $kind = rsa ]; then key='--rsa-key-size 2048'; else key='--elliptic-curve secp256r1'; fi
    # $key is two words.
    # shellcheck disable=SC2086
    run_certbot certonly --webroot --webroot-path "$LEVITY_ACME_DIR" \
        --domain "$domain" --cert-name "$domain-$kind" --key-type $kind $key \
        --email "$email" --agree-tos --no-eff-email --keep-until-expiring \
        ${LEVITY_ACME_SERVER:+--server "$LEVITY_ACME_SERVER"} ||
        die "no certificate. Does $domain lead to this machine, and is port 80 open to the world?
  What has worked so far stays in use. Ask for the same name no more than five times a week."
done
# Only now: both or none.
for kind in rsa ecdsa; do
    use $kind "../live/$domain-$kind"
done
say "nginx uses the certificates of Let's Encrypt for $domain within seconds"
