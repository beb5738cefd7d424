//! [`Zoo`]: the models that are served.

use std::{collections::BTreeMap, fs, sync::Arc, sync::LazyLock, time::Instant};

use mdinference::{Front, ModelId, Profile, Server, Timestamp};
use serde::Deserialize;

/// What requests are answered by: each by what is the newest when it comes.
pub struct Zoo {
    pub config: Arc<Config>,
    pub front: Front<PLACES>,
}

/// Room for the models of two configs: the old ones leave when the new ones are there.
const PLACES: usize = 32;

/// What the config file says: `config/example.toml` explains it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub listen: String,
    pub most_in_flight: usize,
    pub sla_ms: u32,
    pub model: BTreeMap<String, Model>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    #[serde(flatten)]
    pub profile: Profile,
    pub simulated_ms: Option<u32>,
    /// By which the server knows it.
    #[serde(skip)]
    pub id: ModelId,
}

/// Reads a config in place of another. Models of the same name and profile stay, with what was learnt of
/// them. An error says what is wrong, and changes nothing.
pub fn read(path: &str, config: &mut Arc<Config>, server: &mut Server<PLACES>) -> anyhow::Result<()> {
    let mut new: Config = toml::from_str(&fs::read_to_string(path)?)?;
    let mut changed = server.clone();
    for (name, model) in &mut new.model {
        model.id = match config.model.get(name) {
            Some(old) if old.profile == model.profile => old.id,
            _ => changed.add(model.profile)?,
        };
    }
    for old in server.catalog().models() {
        if new.model.values().all(|model| model.id != old.id) {
            changed.remove(old.id)?;
        }
    }
    (*config, *server) = (Arc::new(new), changed);
    Ok(())
}

/// By a clock that never steps back.
pub fn now() -> Timestamp {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    Timestamp::from_micros(START.elapsed().as_micros() as u64)
}
