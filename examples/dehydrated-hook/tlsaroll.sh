# /etc/dehydrated/conf.d/tlsaroll.sh
HOOK=/etc/dehydrated/hook.sh
