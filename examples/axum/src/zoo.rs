//! [`Zoo`]: the models that are served. One task learns of them, and publishes what requests are answered by.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant, SystemTime};
use std::{fs, path::PathBuf, sync::Arc, sync::LazyLock};

use anyhow::{Context, Result};
use mdinference::{Latency, Learnt, ModelId, Profile, Replicas, Report, Server, Share, Timestamp};
use serde::Deserialize;
use tokio::signal::unix::{SignalKind, signal};
use tokio::{sync::mpsc::UnboundedReceiver, time};

/// What the config file says: `config/example.toml` explains it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub listen: String,
    pub learnt: PathBuf,
    pub most_in_flight: usize,
    pub sla_ms: u32,
    pub model: BTreeMap<String, Model>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    #[serde(flatten)]
    pub profile: Profile,
    pub canary_percent: Option<f64>,
    pub simulated: Option<Latency>,
    /// By which the server knows it.
    #[serde(skip)]
    pub id: ModelId,
    /// What a former self has learnt of it.
    #[serde(skip)]
    heard: Option<Learnt>,
}

/// By a clock that never steps back, and goes on when the server is started again.
pub fn now() -> Timestamp {
    static START: LazyLock<(Duration, Instant)> =
        LazyLock::new(|| (SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default(), Instant::now()));
    Timestamp::from_micros((START.0 + START.1.elapsed()).as_micros() as u64)
}

/// Room for the models of two configs: the old ones leave when the new ones are there.
const PLACES: usize = 32;

#[derive(Clone)]
pub struct Zoo {
    pub config: Arc<Config>,
    pub server: Server<PLACES>,
}

pub type Shared = Arc<arc_swap::ArcSwap<Zoo>>;

impl Zoo {
    /// The models of a config. Those of the same name and profile as `old` ones stay, with what was learnt of
    /// them; others hear what was saved. An error names what is wrong.
    pub fn read(path: &str, old: &BTreeMap<String, Model>, mut server: Server<PLACES>) -> Result<Self> {
        let mut config: Config = toml::from_str(&fs::read_to_string(path)?)?;
        let saved = fs::read(&config.learnt).unwrap_or_default();
        let saved: HashMap<String, (Profile, Learnt)> = serde_json::from_slice(&saved).unwrap_or_default();
        for (name, model) in &mut config.model {
            let share = model.canary_percent.map(Share::from_percent).transpose();
            let share = share.with_context(|| format!("model.{name}: canary_percent"))?;
            if let Some(old) = old.get(name).filter(|old| old.profile == model.profile) {
                (model.id, model.heard) = (old.id, old.heard);
                continue;
            }
            model.id = match share {
                Some(share) => server.add_canary(model.profile, share)?,
                None => server.add(model.profile)?,
            };
            model.heard = saved.get(name).filter(|saved| saved.0 == model.profile).map(|saved| saved.1);
            server.hear(model.id, model.heard);
        }
        let stays = |id: &ModelId| config.model.values().any(|model| model.id == *id);
        let gone: Vec<_> = server.catalog().models().map(|it| it.id).filter(|id| !stays(id)).collect();
        gone.into_iter().try_for_each(|id| server.remove(id).map(drop))?;
        Ok(Self { config: Arc::new(config), server })
    }

    /// What this and its former self have learnt of a model.
    pub fn learnt(&self, model: &Model) -> Option<Learnt> {
        let mut selves = Replicas::<PLACES, 2>::new();
        model.heard.map(|heard| selves.hear(0, model.id, heard, now()));
        selves.hear(1, model.id, *self.server.learnt(model.id)?, now());
        selves.pooled(model.id)
    }

    fn save(&self) -> Result<()> {
        let models = self.config.model.iter();
        let learnt = models.filter_map(|(name, model)| Some((name, (model.profile, self.learnt(model)?))));
        let new = self.config.learnt.with_extension("new");
        fs::write(&new, serde_json::to_vec(&learnt.collect::<HashMap<_, _>>())?)?;
        Ok(fs::rename(&new, &self.config.learnt)?)
    }
}

/// Learns until nobody reports any more.
pub async fn learn(path: String, mut reports: UnboundedReceiver<Report>, shared: Shared) -> Result<()> {
    let (mut hangup, mut minute) = (signal(SignalKind::hangup())?, time::interval(Duration::from_secs(60)));
    let mut zoo = Zoo::clone(&shared.load());
    loop {
        let changed = tokio::select! {
            report = reports.recv() => match report {
                Some(report) => Ok(zoo.server.learn(report, now())),
                None => return zoo.save(),
            },
            () = time::sleep(zoo.server.poll_at().since(now()).into()) => Ok(zoo.server.poll(now())),
            _ = minute.tick() => zoo.save().map(|()| false),
            _ = hangup.recv() => Zoo::read(&path, &zoo.config.model, zoo.server.clone())
                .map(|new| { zoo = new; true }),
        };
        if changed.inspect_err(|error| eprintln!("{error:#}")).unwrap_or_default() {
            shared.store(Arc::new(zoo.clone()));
        }
    }
}
