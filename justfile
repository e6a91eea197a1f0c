# Convbase: from photographs to test accuracy. `just` lists the recipes; variables go before them:
#   just images=photographs recipe=native pipeline

# Folder with train/, test/ and, if you like, validation/, each with one folder per class; empty for the demo images
images := ""
# Frozen network: vgg16, vgg19, resnet50, inception_v3, xception, mobilenet, efficientnet_lite0, or an .onnx file
base := tutorial
# article: the published tutorial, to the letter; native: what the weights were trained for; probe: native, with a
# regularised linear classifier in place of the tutorial's head
recipe := if base == tutorial { "article" } else { "native" }
# Name of the run and of its feature stores
name := (if images == "" { "demo" } else { file_name(trim_end_match(images, "/")) }) + (if base == tutorial { "" } else { "-" + file_stem(base) }) + (if views == "" { "" } else { "-views" }) + "-" + recipe
# Passes over the training images
epochs := "32"
# Decides starting weights, order and dropout
seed := "42"
# auto, cpu, cuda, cuda:N
device := "auto"
# auto, fp32, bf16, int8
precision := "auto"
# Views of each training photograph: "--views 8 --augment flip,rotate=0.1,zoom=0.2"
views := ""
# Further options for `extractor extract` and `trainer fit`, or `trainer probe` with recipe=probe
extract_options := ""
train_options := ""

tutorial := "vgg16"
is_file := if base =~ '\.onnx$' { "yes" } else { "no" }
folder := if images == "" { "data/images/demo" } else { images }
# A probe is fitted to the features of the native recipe.
features := "data/features" / (if recipe == "probe" { trim_end_match(name, "-probe") + "-native" } else { name })
run := "data/runs" / name
preparation := if recipe == "article" { "--preprocess rescale --interpolation nearest" } else if recipe =~ "^(native|probe)$" { "--preprocess auto --interpolation bilinear" } else { error("recipe: expected article, native or probe, found `" + recipe + "`") }
programs := "target/release"
# Every round of a measurement goes through them all.
few := if images == "" { "--images-limit 120" } else { "" }

# List the recipes
[private]
default:
    @just --list --unsorted

# Photographs in, test accuracy out: extract, train and evaluate
[group('main job')]
pipeline: extract train evaluate
    @echo "run: {{run}} (best.safetensors, {{if recipe == "probe" { "grid.csv, held_out.csv" } else { "history.csv, curves.svg" }}})"
    @echo "report: {{run}}/test/report.html (metrics.json, predictions.csv and the figures beside it)"
    @python3 -c 'import json, sys; report = json.load(open(sys.argv[1])); print("test accuracy: {:.4f} (95 % interval {:.4f} to {:.4f}) on {} images".format(report["test_accuracy"], *report["accuracy_wilson95"], report["num_samples"]))' {{quote(run / "test/metrics.json")}}

# Make the feature stores of train, test and, where it is there, validation
[group('main job')]
extract: build
    #!/usr/bin/env bash
    set -euo pipefail
    if [ {{quote(images)}} = "" ]; then {{programs}}/examples/demo_data --out data/images/demo; fi
    if [ {{is_file}} = no ] && [[ {{quote(extract_options)}} != *--weights* ]]; then scripts/weights {{quote(base)}}; fi
    for split in train validation test; do
        if [ "$split" = validation ] && [ ! -d {{quote(folder)}}/validation ]; then continue; fi
        views=()
        if [ "$split" = train ]; then views=({{views}}); fi
        {{programs}}/extractor extract --base {{quote(base)}} --images {{quote(folder)}}/"$split" --out {{quote(features)}}/"$split" {{preparation}} --precision {{precision}} --device {{device}} "${views[@]}" {{extract_options}}
    done

# Fit the head, or the probe, on the training features
[group('main job')]
train: build
    #!/usr/bin/env bash
    set -euo pipefail
    if [ {{recipe}} = probe ]; then
        judges=()
        if [ -d {{quote(folder)}}/validation ]; then judges=(--validation {{quote(features)}}/validation); fi
        exec {{programs}}/trainer probe --features {{quote(features)}}/train "${judges[@]}" --out {{quote(run)}} --seed {{seed}} {{train_options}}
    fi
    validation=(--validation-split 0.3)
    if [ -d {{quote(folder)}}/validation ]; then validation=(--validation {{quote(features)}}/validation); fi
    {{programs}}/trainer fit --features {{quote(features)}}/train "${validation[@]}" --out {{quote(run)}} --epochs {{epochs}} --seed {{seed}} --device {{device}} {{train_options}}

# Measure the best checkpoint on the test features
[group('main job')]
evaluate: build
    {{programs}}/evaluator evaluate --features {{quote(features / "test")}} --checkpoint {{quote(run / "best.safetensors")}} --images {{quote(folder / "test")}} --training {{quote(features / "train")}} --out {{quote(run / "test")}} --device {{device}}

# Train the last block of VGG16 on with the head of `just train`, from the stored maps of block4_pool; then measure it
[group('main job')]
fine-tune from="block4_pool" *options: build
    #!/usr/bin/env bash
    set -euo pipefail
    for split in train validation test; do
        if [ "$split" = validation ] && [ ! -d {{quote(folder)}}/validation ]; then continue; fi
        views=()
        if [ "$split" = train ]; then views=({{views}}); fi
        {{programs}}/extractor extract --base {{quote(base)}} --layer {{quote(from)}} --images {{quote(folder)}}/"$split" --out {{quote(features)}}-{{quote(from)}}/"$split" {{preparation}} --precision {{precision}} --device {{device}} "${views[@]}" {{extract_options}}
    done
    validation=(--validation-split 0.3)
    if [ -d {{quote(folder)}}/validation ]; then validation=(--validation {{quote(features)}}-{{quote(from)}}/validation); fi
    {{programs}}/trainer fine-tune --features {{quote(features)}}-{{quote(from)}}/train "${validation[@]}" --checkpoint {{quote(run / "best.safetensors")}} --out {{quote(run)}}-fine-tuned --seed {{seed}} --device {{device}} {{options}}
    {{programs}}/evaluator evaluate --features {{quote(features)}}-{{quote(from)}}/test --checkpoint {{quote(run)}}-fine-tuned/best.safetensors --images {{quote(folder / "test")}} --training {{quote(features)}}-{{quote(from)}}/train --out {{quote(run)}}-fine-tuned/test --device {{device}}

# Print class probabilities of photographs or folders: `just predict cat.jpg`
[group('look')]
[positional-arguments]
predict +photographs: build
    {{programs}}/evaluator predict --checkpoint {{quote(run / "best.safetensors")}} {{if is_file == "yes" { "--weights " + quote(base) } else { "" } }} --device {{device}} "$@"

# Tell what the feature stores of this run hold
[group('look')]
inspect: build
    @for store in {{quote(features)}}/*/; do echo "$store"; {{programs}}/extractor inspect "$store"; done

# Re-read and re-hash the feature stores of this run
[group('look')]
verify: build
    {{programs}}/extractor verify {{quote(features)}}/*/

# Draw the small labelled image set that `just pipeline` uses by default
[group('data')]
demo-data: build
    {{programs}}/examples/demo_data --out data/images/demo

# Prepare cats_vs_dogs_small: `just data --from train.zip`, or without --from a download
[group('data')]
data *options:
    scripts/data {{options}}

# Make the weights of bases: `just weights NAME...`, or `just weights NAME --from FILE` from a file of your own
[group('data')]
weights *options:
    scripts/weights {{options}}

# Compile the three programs and the generator of the demo images
[group('development')]
build:
    # The whole workspace, as the tests do: what is compiled once serves both.
    cargo build --release --workspace --bins --examples

# Run all tests: core, nn, the three programs, the demo generator and the scripts
[group('development')]
test *options:
    # Many small programs run side by side: libtorch's threads must not burn the processors while they wait.
    OMP_WAIT_POLICY=passive cargo test --release --workspace --lib --bins --tests --examples {{options}} -- --show-output
    python3 scripts/install packages
    .toolchain/python/bin/python scripts/test_scripts.py

# Measure this project: functions, the conv base by precision and batch size, and the three programs
[group('development')]
bench: build
    cargo bench --package convbase-core --bench store
    cargo bench --package convbase-images --bench decode
    cargo bench --package convbase-nn --bench throughput
    if [ {{quote(images)}} = "" ]; then {{programs}}/examples/demo_data --out data/images/demo; fi
    scripts/bench stages --images {{quote(folder / "test")}} {{few}}
    scripts/bench start --images {{quote(folder / "test")}} {{few}}

# Measure it beside Keras, PyTorch, ONNX Runtime, OpenVINO and scikit-learn (1 GB of downloads, 3 GB unpacked)
[group('development')]
bench-peers *options: build
    if [ {{quote(images)}} = "" ]; then {{programs}}/examples/demo_data --out data/images/demo; fi
    scripts/bench-peers --images {{quote(folder / "test")}} {{few}} {{options}}
    if [ {{quote(options)}} = "" ]; then scripts/bench-peers --images {{quote(folder / "test")}} {{few}} --base efficientnet_lite0; fi

# Check formatting, clippy and documentation
[group('development')]
lint: fmt-check clippy doc

[private]
fmt-check:
    cargo fmt --check

[private]
clippy:
    cargo clippy --release --workspace --all-targets -- -D warnings

# Check the dependencies: licences, sources, versions, and known flaws where their database can be reached
[group('development')]
deny:
    scripts/deny

# Format the sources
[group('development')]
fmt:
    cargo fmt

# Build the documentation of all crates
[group('development')]
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --release --workspace --no-deps

# Remove what was built; data, weights and libtorch stay
[group('development')]
clean:
    cargo clean
