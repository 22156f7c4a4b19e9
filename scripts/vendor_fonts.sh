#!/bin/sh
# Make the fonts of sharing/fonts again, from npm. Needs npm, a network, and
# fonttools with brotli: nothing that runs or tests the product needs this.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
take() { # package version
    archive=$(cd "$work" && npm pack --silent "$1@$2")
    tar -xzf "$work/$archive" -C "$work"
}
cut() { # source target features ranges
    .venv/bin/python -m fontTools.subset "$1" --output-file="$2" --no-hinting \
        --notdef-outline --name-IDs='*' --drop-tables+=DSIG,FFTM \
        --layout-features="$3" --unicodes="$4"
}
fonts=sharing/fonts
latin=20-7E,A0-24F,259,2B0-36F,370-3FF,400-52F,1E00-1EFF,2000-206F,20A0-20BF
latin=$latin,2100-214F,2190-22FF,25A0-25FF,FFFD
more=20-7E,A0-FF,530-6FF,750-77F,10A0-10FF,E80-EFF,2000-206F,2190-21FF
more=$more,2500-27BF,FB00-FDFF,FE00-FEFF,1F600-1F64F,FFFD

take inter-ui 4.1.1
for weight in Regular SemiBold; do
    cut "$work/package/web/Inter-$weight.woff2" $fonts/Inter-$weight.ttf \
        kern,mark,mkmk,ccmp,tnum,locl $latin
done
cp "$work/package/LICENSE.txt" $fonts/LICENSE-Inter

take dejavu-fonts-ttf 2.37.3
cut "$work/package/ttf/DejaVuSans.ttf" $fonts/DejaVuSans.ttf '*' $more
cp "$work/package/LICENSE" $fonts/LICENSE-DejaVu
