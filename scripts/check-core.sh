#!/usr/bin/env bash
# What the core crate promises to those who use it from crates.io. Each part installs the toolchain it needs.
#   scripts/check-core.sh [docs] [msrv] [package] [miri]      without names: all of them
set -euo pipefail
cd "$(dirname "$0")/.."
parts=${*:-docs msrv package miri}
target=${CARGO_TARGET_DIR:-target}

# Every public item is documented, and every link leads somewhere.
docs() {
  RUSTDOCFLAGS='-D warnings' cargo doc -p lossmask --no-deps --all-features
}

# The crate builds and its tests pass with the Rust version that Cargo.toml states. Dependencies of the tests may need a newer one, so only
# the library is built.
msrv() {
  local version
  version=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  rustup toolchain install "$version" --profile minimal --no-self-update
  for features in '' serde; do
    CARGO_TARGET_DIR="$target/msrv" cargo "+$version" check -p lossmask --lib --features "$features"
  done
}

# What would be published builds on its own.
package() {
  cargo package -p lossmask --allow-dirty
}

# Undefined behaviour: the vector loops in plain Rust and SSE2, the labels in place and by way of a page, all with few cases. The large
# instruction set is left out: Miri has no carry-less products.
miri() {
  rustup toolchain install nightly --profile minimal --component miri --component rust-src --no-self-update
  MIRIFLAGS='-Zmiri-disable-isolation' PROPTEST_CASES=4 LOSSMASK_CASES=20 CARGO_TARGET_DIR="$target/miri" \
    cargo +nightly miri test -p lossmask --lib --test cases --test random
}

for part in $parts; do
  echo "== $part"
  "$part"
done
