//! The options that every program has.

use std::io::IsTerminal;

use clap::Args;
use clap_verbosity_flag::{InfoLevel, Verbosity};
use convbase_core::exit::LogFormat;
use tracing_subscriber::EnvFilter;

/// What is said on stderr, and how.
#[derive(Debug, Args)]
pub struct CommonArguments {
    #[command(flatten)]
    verbosity: Verbosity<InfoLevel>,
    /// How messages are written to stderr: text, or json for one object per line
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

impl CommonArguments {
    /// The least severe messages that are shown. `RUST_LOG` overrides the options.
    pub(crate) fn log_filter(&self) -> EnvFilter {
        let level = self.verbosity.tracing_level_filter();
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level.to_string()))
    }

    /// Whether a progress bar is wanted and somebody can see it.
    pub fn shows_progress(&self) -> bool {
        self.log_format == LogFormat::Text
            && self.verbosity.tracing_level_filter() >= tracing::Level::INFO
            && std::io::stderr().is_terminal()
    }
}
