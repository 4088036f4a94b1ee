#!/bin/sh
# Exit status 1 if a certificate in use ends within 21 days (its renewal has failed for nine days
# then), or if a list of revoked client certificates is in the last quarter of its time.
# fe_tls is "unhealthy" in `docker compose ps` meanwhile.
. "$(dirname "$0")/tls-common.sh"
status=0
for kind in rsa ecdsa; do
    certificate=$LEVITY_TLS_DIR/current/$kind/fullchain.pem
    if [ ! -s "$certificate" ]; then
        say "there is no $kind certificate yet"
    elif ! openssl x509 -noout -checkend 1814400 -in "$certificate" >/dev/null; then
        say "ALERT: the $kind certificate ends soon ($(openssl x509 -noout -enddate -in "$certificate" | cut -d= -f2)); its renewal fails, see the lines above"
        status=1
    fi
done
lists=$LEVITY_TLS_DIR/clients/crl.pem
if [ -s "$lists" ]; then
    ending=$(ending_lists "$lists" 25)
    if [ -n "$ending" ]; then
        say "ALERT: a list of revoked client certificates ends soon; past its end nobody with a certificate gets in. Bring a new one (client-certificates.sh crl): $ending"
        status=1
    fi
fi
exit $status
