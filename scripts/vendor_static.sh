#!/bin/sh
# Fetch the files of static/vendor and tests/browser/vendor again, from npm.
# Needs npm and a network; nothing else in the project does.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

take() { # package version; unpacks into $work/package
    rm -rf "$work/package"
    archive=$(cd "$work" && npm pack --silent "$1@$2")
    tar -xzf "$work/$archive" -C "$work"
}

vendor=static/vendor
mkdir -p $vendor/pico $vendor/inter $vendor/plotly tests/browser/vendor

take @picocss/pico 2.1.1
cp "$work/package/css/pico.min.css" "$work/package/LICENSE.md" $vendor/pico/

take @fontsource-variable/inter 5.3.0
for subset in latin latin-ext greek; do
    cp "$work/package/files/inter-$subset-wght-normal.woff2" $vendor/inter/
done
cp "$work/package/LICENSE" $vendor/inter/

take plotly.js-basic-dist-min 4.1.1
cp "$work/package/plotly-basic.min.js" "$work/package/LICENSE" $vendor/plotly/

take axe-core 4.14.1
cp "$work/package/axe.min.js" tests/browser/vendor/
cp "$work/package/LICENSE" tests/browser/vendor/LICENSE-axe-core
