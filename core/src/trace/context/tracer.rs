//! Where spans go: to the process's tracer, or to a recorder's.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};

#[cfg(any(test, feature = "testing"))]
use crate::base::losses::Losses;
use crate::config::Switches;
use crate::config::{CapturedLogs, KafkaHeaderFormat};
use crate::policy::rules::Rules;
use crate::policy::{LiveSettings, Settings};
use crate::record::Family;
use crate::record::head::Head;
use crate::trace::context::local;
use crate::trace::context::unrecorded::Unrecorded;

/// The settings of the process's tracer, off until [`init`](crate::process::builder).
pub(crate) static GLOBAL: LiveSettings = LiveSettings::off();

/// A tracer: the process's, or one that a test's
/// [`Recorder`](crate::testing::Recorder) made. Cheap to clone.
///
/// A span goes to the tracer of the context it is started in; an entry outside
/// of any context, to the one its layer was given by `.tracer(…)`; else to the
/// process's.
#[derive(Clone, Debug, Default)]
pub struct Tracer(Option<Arc<Scope>>);

impl Tracer {
    /// The process's tracer, whether or not it was started.
    #[inline]
    pub const fn global() -> Self {
        Self(None)
    }

    #[inline]
    pub(crate) fn scoped(scope: Arc<Scope>) -> Self {
        Self(Some(scope))
    }

    /// The tracer of a context's scope, or the process's where there is no scope.
    #[cold]
    pub(crate) fn of(scope: Option<&Arc<Scope>>) -> Self {
        Self(scope.cloned())
    }

    /// The tracer of the current context if that has one of its own, else this.
    pub fn in_context(&self) -> Self {
        match local::with_current(|context| context.scope().cloned()).flatten() {
            None => self.clone(),
            scope => Self(scope),
        }
    }

    /// True where spans are recorded: after [`init`](crate::process::builder) and before its
    /// guard is dropped.
    pub fn is_on(&self) -> bool {
        self.switches().has(Switches::ON)
    }

    /// Whether a request that was answered with this status has failed by the
    /// settings for 4xx (`INSTANA_TRACING_HTTP_EXIT_CLASSIFY_ALL_4XX_AS_ERRORS`,
    /// `INSTANA_TRACING_HTTP_EXIT_CLASSIFY_AS_ERRORS`). One load where they are
    /// not set.
    pub fn is_client_error(&self, status: u16) -> bool {
        self.switches().has(Switches::CLIENT_ERRORS)
            && self
                .settings()
                .is_some_and(|settings| settings.is_client_error(status))
    }

    /// From which level on log lines are recorded as spans
    /// (`INSTANA_TRACING_CAPTURE_LOG_LEVEL`); `Off` while spans are not recorded.
    /// One load.
    #[inline]
    pub fn captured_logs(&self) -> CapturedLogs {
        self.switches().captured_logs()
    }

    /// In which form the headers of Kafka records carry trace context
    /// (`INSTANA_KAFKA_HEADER_FORMAT`); `None` where they do not
    /// (`INSTANA_KAFKA_TRACE_CORRELATION`). One load.
    #[inline]
    pub fn kafka_headers(&self) -> Option<KafkaHeaderFormat> {
        self.switches().kafka_headers()
    }

    #[inline]
    pub(crate) fn scope(&self) -> Option<&Arc<Scope>> {
        self.0.as_ref()
    }

    #[inline]
    fn live(&self) -> &LiveSettings {
        match &self.0 {
            None => &GLOBAL,
            Some(scope) => &scope.settings,
        }
    }

    #[inline]
    pub(crate) fn switches(&self) -> Switches {
        self.live().switches()
    }

    /// The id of the settings in force; 0 before there are any, and another one after
    /// each change. One load: what was derived from settings is valid while this is the
    /// same.
    #[inline]
    pub fn settings_id(&self) -> u64 {
        self.live().id()
    }

    /// The names of HTTP headers to capture (`INSTANA_EXTRA_HTTP_HEADERS`), in lower
    /// case, and the [id](Self::settings_id) of the settings that they are of. Allocates.
    pub fn captured_headers(&self) -> (Vec<String>, u64) {
        match self.settings() {
            Some(settings) => (settings.config.extra_headers.clone(), settings.id()),
            None => (Vec::new(), 0),
        }
    }

    /// The settings in force; `None` before [`init`](crate::process::builder).
    pub(crate) fn settings(&self) -> Option<Arc<Settings>> {
        self.live().get()
    }

    /// Calls `f` with the settings in force, without a lock while they stay the
    /// same.
    pub(crate) fn with_settings<R>(&self, f: impl FnOnce(&Settings) -> R) -> Option<R> {
        let known = |known: &RefCell<Option<Arc<Settings>>>| {
            let mut known = known.try_borrow_mut().ok()?;
            let id = known.as_ref().map_or(0, |settings| settings.id());
            if id != self.settings_id() {
                *known = self.settings();
            }
            known.clone()
        };
        let known = KNOWN.try_with(known).ok().flatten();
        // Where the thread ends.
        let settings = known.or_else(|| self.settings())?;
        Some(f(&settings))
    }
}

impl Tracer {
    /// Whether spans of this family are not recorded.
    #[cold]
    pub(crate) fn disables(&self, family: &'static Family) -> bool {
        let disables = self.with_rules(|rules| rules.is_disabled(family));
        disables.unwrap_or(false)
    }

    /// Calls `f` with the rules in force, without a lock while they stay the same.
    #[cold]
    pub(crate) fn with_rules<R>(&self, f: impl FnOnce(&Rules) -> R) -> Option<R> {
        self.with_settings(|settings| settings.rules.as_deref().map(f))?
    }
}

thread_local! {
    /// The settings that were last in force here.
    static KNOWN: RefCell<Option<Arc<Settings>>> = const { RefCell::new(None) };
}

/// A tracer that keeps its spans in memory.
#[derive(Debug)]
pub(crate) struct Scope {
    settings: LiveSettings,
    records: Mutex<Vec<u8>>,
    unrecorded: Unrecorded,
    #[cfg(any(test, feature = "testing"))]
    losses: Losses,
}

impl Scope {
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn new(settings: Settings) -> Self {
        use crate::trace::context::unrecorded::Patience;

        let live = LiveSettings::off();
        live.replace(settings);
        Self {
            settings: live,
            records: Mutex::new(Vec::new()),
            unrecorded: Unrecorded::new(Patience::Any),
            losses: Losses::new(),
        }
    }

    pub(crate) fn unrecorded(&self) -> &Unrecorded {
        &self.unrecorded
    }

    /// What was lost in spans and messages.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn losses(&self) -> &Losses {
        &self.losses
    }

    pub(crate) fn settings(&self) -> &LiveSettings {
        &self.settings
    }

    /// Keeps a finished span, in the form that segments hold.
    pub(crate) fn record(&self, head: &Head, attributes: &[u8]) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        for word in head.to_words(attributes.len()) {
            records.extend_from_slice(&word.to_ne_bytes());
        }
        records.extend_from_slice(attributes);
        let whole = records.len().next_multiple_of(8);
        records.resize(whole, 0);
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn records(&self) -> Vec<u8> {
        self.records
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn clear(&self) {
        self.unrecorded.clear();
        self.losses.clear();
        self.records
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

/// Calls `f` with the losses of the recorder that the running code is in, if it is in
/// one.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn with_losses(f: &dyn Fn(&Losses)) {
    local::with_current(|context| context.scope().map(|scope| f(scope.losses())));
}
