//! [`Zoo`]: the models that are served. One task learns of them, and publishes what requests are answered by.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant, SystemTime};
use std::{fs, path::PathBuf, sync::Arc, sync::LazyLock};

use anyhow::{Context, Result};
use mdinference::{
    Catalog, Latency, Learning, Learnt, ModelId, Policy, Profile, Replicas, Report, Server, Share, Standing,
    Timestamp,
};
use serde::Deserialize;
use tokio::signal::unix::{SignalKind, signal};
use tokio::{sync::mpsc::UnboundedReceiver, time};

/// What the config file says: `config/example.toml` explains it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub listen: String,
    pub learnt: PathBuf,
    pub most_in_flight: usize,
    pub sla_ms: u32,
    pub model: BTreeMap<String, Model>,
}

#[derive(Default, Deserialize)]
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

#[derive(Clone)]
pub struct Zoo {
    pub config: Arc<Config>,
    /// There is room for the models of two configs: the old ones leave when the new ones are there.
    pub server: Server<32>,
}

pub type Shared = Arc<arc_swap::ArcSwap<Zoo>>;

impl Zoo {
    pub fn new(path: &str) -> Result<Self> {
        let server = Server::new(Catalog::new([Profile::default()])?, Policy::PAPER, Learning::DEFAULT);
        let nobody = Model { id: server.catalog().id(0).unwrap_or_default(), ..Model::default() };
        let model = BTreeMap::from([(String::new(), nobody)]);
        let mut zoo = Self { config: Arc::new(Config { model, ..Config::default() }), server };
        zoo.read(path).map(|()| zoo)
    }

    /// Reads the config. A model of the same name and profile stays, with what was learnt of it; a new one hears what was
    /// saved. If anything is wrong, nothing changes.
    fn read(&mut self, path: &str) -> Result<()> {
        let mut config: Config = toml::from_str(&fs::read_to_string(path)?)?;
        let saved = fs::read(&config.learnt).unwrap_or_default();
        let saved: HashMap<String, (Profile, Learnt)> = serde_json::from_slice(&saved).unwrap_or_default();
        let (old, mut server) = (&self.config.model, self.server.clone());
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
        for gone in old.values().filter(|old| config.model.values().all(|new| new.id != old.id)) {
            server.remove(gone.id)?;
        }
        *self = Self { config: Arc::new(config), server };
        Ok(())
    }

    /// A model as it is now.
    pub fn live(&self, model: &Model) -> Option<(Profile, Standing)> {
        let (shown, standing) = (*self.server.catalog().get(model.id)?, self.server.standing(model.id)?);
        let learnt = self.learnt(model)?.latency.latency().filter(|_| standing != Standing::Trusted);
        Some((Profile { latency: learnt.unwrap_or(shown.latency), ..shown }, standing))
    }

    /// What this and its former self have learnt of a model.
    fn learnt(&self, model: &Model) -> Option<Learnt> {
        let mut selves = Replicas::<32, 2>::new();
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
            _ = hangup.recv() => zoo.read(&path).map(|()| true),
        };
        if changed.inspect_err(|error| eprintln!("{error:#}")).unwrap_or_default() {
            shared.store(Arc::new(zoo.clone()));
        }
    }
}
