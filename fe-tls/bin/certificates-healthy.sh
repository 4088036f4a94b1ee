#!/bin/sh
# Exit status 1 if a certificate in use ends within 21 days: its renewal has failed for nine days then.
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
exit $status
