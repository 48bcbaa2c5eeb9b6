#!/bin/bash
# Makes certificates: a CA, a server's, people's. `tools/mkcerts.sh --help` says how.
set -euo pipefail
umask 077
export LC_ALL=C

usage() {
  cat <<'TEXT'
usage: tools/mkcerts.sh [--dir DIR] [--force] [--days N] [HOST...] [--person NAME]...
       tools/mkcerts.sh [--dir DIR] [--force] --ca

Without arguments: a CA, unless DIR has one, and a certificate for a server on this computer
(localhost, 127.0.0.1, ::1).

  HOST...        make the server's certificate for these names and addresses instead
  --person NAME  make a certificate for a person, shown in calls under NAME; may be repeated;
                 the server's is made then only if HOSTs are given too
  --ca           make a CA; certificates issued by the one before lose their worth
  --dir DIR      where the files go (default: certs in this repository)
  --days N       validity of the server's and people's certificates (default 825)
  --force        overwrite files that exist
  --help         this text

Files: ca.pem ca.key server.pem server.key person-NAME.pem person-NAME.key (NAME with
%XX for what is not a letter, digit or one of . _ ~ -); all readable by you alone. Give people ca.pem and their own two files, nobody any other .key.
TEXT
}

fail() {
  echo "mkcerts: $*" >&2
  exit "${status:-1}"
}

dir="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/certs"
force=no
days=825
wants_ca=no
hosts=()
people=()
while [ $# -gt 0 ]; do
  case "$1" in
    --help | -h) usage; exit 0 ;;
    --force) force=yes ;;
    --ca) wants_ca=yes ;;
    --dir | --days | --person)
      [ $# -ge 2 ] && [ -n "$2" ] || status=2 fail "$1 needs a value; see --help"
      case "$1" in
        --dir) dir="$2" ;;
        --days) days="$2" ;;
        --person) people+=("$2") ;;
      esac
      shift ;;
    -*) status=2 fail "there is no option $1; see --help" ;;
    *) hosts+=("$1") ;;
  esac
  shift
done

[[ "$days" =~ ^[1-9][0-9]{0,4}$ ]] || status=2 fail "--days takes a number from 1 to 99999"
command -v openssl >/dev/null || fail "the program openssl is missing; tools/setup installs it"
wants_server=no
if [ ${#hosts[@]} -gt 0 ]; then
  wants_server=yes
elif [ ${#people[@]} -eq 0 ] && [ "$wants_ca" = no ]; then
  wants_server=yes
  hosts=(localhost 127.0.0.1 ::1)
fi

# --- what is asked, checked before anything is made ---

names=""
octet='(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])'
for host in ${hosts[@]+"${hosts[@]}"}; do
  if [[ "$host" == *:* || "$host" =~ ^[0-9.]+$ ]]; then
    [[ "$host" =~ ^[0-9A-Fa-f:.]+$ && "$host" == *:*:* || "$host" =~ ^$octet(\.$octet){3}$ ]] \
      || status=2 fail "“$host” is not an IP address"
    names+="${names:+,}IP:$host"
  else
    [[ "$host" =~ ^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?$ ]] \
      || status=2 fail "“$host” is not a host name"
    names+="${names:+,}DNS:$host"
  fi
done

# NAME in a URI: all but unreserved characters percent-encoded (RFC 3986 section 2.1).
encoded() {
  local text="$1" index character
  for ((index = 0; index < ${#text}; index++)); do
    character="${text:index:1}"
    case "$character" in
      [A-Za-z0-9._~-]) printf '%s' "$character" ;;
      *) printf '%%%02X' "$(($(printf '%d' "'$character") & 255))" ;;
    esac
  done
}
file_of() { printf 'person-%s' "$(encoded "$1")"; }
for person in ${people[@]+"${people[@]}"}; do
  [ ${#person} -le 160 ] || status=2 fail "the name “$person” is too long"
done

targets=()
[ "$wants_ca" = no ] || targets+=(ca)
[ "$wants_server" = no ] || targets+=(server)
for person in ${people[@]+"${people[@]}"}; do targets+=("$(file_of "$person")"); done
doubled="$(printf '%s\n' "${targets[@]}" | sort | uniq -d)"
[ -z "$doubled" ] || status=2 fail "${doubled%%$'\n'*}.pem is asked for twice"
for target in "${targets[@]}"; do
  for file in "$dir/$target.pem" "$dir/$target.key"; do
    [ "$force" = yes ] || [ ! -e "$file" ] \
      || fail "$file exists; --force overwrites it, --dir puts new files elsewhere"
  done
done

# --- making; files come into place only when all are checked ---

mkdir -p "$dir"
work="$(mktemp -d "$dir/.making.XXXXXX")"
trap 'rm -rf "$work"' EXIT

run() { openssl "$@" 2>"$work/errors" || fail "openssl $1 failed: $(tail -n 3 "$work/errors")"; }
key() { run genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }
serial() { printf '0x4%s' "$(openssl rand -hex 15)"; }

if [ "$wants_ca" = no ] && [ -e "$dir/ca.pem" ] && [ -e "$dir/ca.key" ]; then
  cp "$dir/ca.pem" "$dir/ca.key" "$work/"
else
  [ "$wants_ca" = yes ] || [ ! -e "$dir/ca.pem" ] || fail "$dir/ca.pem has no ca.key beside it"
  targets=(ca "${targets[@]}")
  cat >"$work/ca.cnf" <<'TEXT'
[req]
distinguished_name = name
prompt = no
x509_extensions = extensions
[name]
O = p2pcall
CN = p2pcall CA
[extensions]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
TEXT
  key "$work/ca.key"
  run req -x509 -new -sha256 -config "$work/ca.cnf" -key "$work/ca.key" -days 3650 \
    -set_serial "$(serial)" -out "$work/ca.pem"
fi

# issue FILE COMMON-NAME USAGE ALTERNATIVE-NAMES
issue() {
  cat >"$work/request.cnf" <<TEXT
[req]
distinguished_name = name
prompt = no
[name]
O = p2pcall
CN = $2
[extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = $3
subjectAltName = $4
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
TEXT
  key "$work/$1.key"
  run req -new -sha256 -config "$work/request.cnf" -key "$work/$1.key" -out "$work/request"
  run x509 -req -sha256 -in "$work/request" -CA "$work/ca.pem" -CAkey "$work/ca.key" \
    -set_serial "$(serial)" -days "$days" -extfile "$work/request.cnf" -extensions extensions \
    -out "$work/$1.pem"
}
[ "$wants_server" = no ] || issue server server serverAuth "$names"
for person in ${people[@]+"${people[@]}"}; do
  issue "$(file_of "$person")" person clientAuth "URI:p2pcall:$(encoded "$person")"
done

# --- checking our own work ---

good() { openssl verify -x509_strict -CAfile "$work/ca.pem" "$@" >/dev/null 2>"$work/errors"; }
public() { openssl pkey -in "$1" -pubout 2>/dev/null; }
good "$work/ca.pem" || fail "the CA does not verify: $(cat "$work/errors")"
for target in "${targets[@]}"; do
  [ "$(public "$work/$target.key")" = "$(openssl x509 -in "$work/$target.pem" -noout -pubkey)" ] \
    || fail "$target.key does not belong to $target.pem"
  case "$target" in
    ca) continue ;;
    server) right=sslserver wrong=sslclient ;;
    *) right=sslclient wrong=sslserver ;;
  esac
  good -purpose $right "$work/$target.pem" \
    || fail "$target.pem does not verify: $(cat "$work/errors")"
  ! good -purpose $wrong "$work/$target.pem" || fail "$target.pem passes for another purpose"
done
if [ "$wants_server" = yes ]; then
  for host in "${hosts[@]}"; do
    case ",$names," in
      *",IP:$host,"*) good -purpose sslserver -verify_ip "$host" "$work/server.pem" ;;
      *) good -purpose sslserver -verify_hostname "${host/#\*./any.}" "$work/server.pem" ;;
    esac || fail "server.pem does not verify for $host: $(cat "$work/errors")"
  done
fi

# --- into place ---

pin() {
  printf 'sha256:%s' "$(openssl x509 -in "$1" -noout -pubkey | openssl pkey -pubin -outform DER \
    | openssl dgst -sha256 -binary | openssl base64 | tr '+/' '-_' | tr -d '=\n')"
}
for target in "${targets[@]}"; do
  mv -f "$work/$target.key" "$dir/$target.key"
  mv -f "$work/$target.pem" "$dir/$target.pem"
  case "$target" in
    ca) echo "$dir/ca.pem  the CA, valid 10 years; hand it out, keep ca.key" ;;
    server) echo "$dir/server.pem  server, for ${hosts[*]}, pin $(pin "$dir/server.pem")" ;;
    *) echo "$dir/$target.pem  person, key $(pin "$dir/$target.pem")" ;;
  esac
done
if [ "$wants_server" = yes ]; then
  echo "start: p2pcall-rendezvous --cert $dir/server.pem --key $dir/server.key"
  echo "join:  p2pcall join --server ${hosts[0]} --ca $dir/ca.pem ROOMID"
fi
