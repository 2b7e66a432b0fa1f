//! How often who may ask. A terminal is known by its certificate before anything is looked up, and has a bucket of its
//! own: a fleet behind one address is not punished for its size, and a terminal that floods holds up nobody else. Who
//! shows nothing is known by the address, and enrolling and logging in have narrower buckets. Buckets are this node's:
//! with several nodes the limits add up, which is meant.

use crate::metrics::Metrics;
use governor::clock::{Clock, MonotonicClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use serde::Deserialize;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Every so many requests, buckets that are full again are forgotten.
const SWEEP_EVERY: u32 = 4_096;

/// Requests, on average and at once, and how slow one may be. The names are those of `central.toml`, `[limits]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitSettings {
    /// Of one terminal, a second. Bootstrapping fetches a base of 64 segments a tier as fast as it can.
    pub terminal_per_second: NonZeroU32,
    /// Of one terminal at once.
    pub terminal_burst: NonZeroU32,
    /// Of one address that shows no certificate, a minute: the check page and the health.
    pub address_per_minute: NonZeroU32,
    /// Of it at once.
    pub address_burst: NonZeroU32,
    /// Enrolments tried from one address, a minute.
    pub enrol_per_minute: NonZeroU32,
    /// At once: a street of new terminals behind one address.
    pub enrol_burst: NonZeroU32,
    /// Log-ins tried from one address, a minute.
    pub login_per_minute: NonZeroU32,
    /// At once.
    pub login_burst: NonZeroU32,
    /// Seconds that a request's head may take, over TLS and plain.
    pub head_seconds: NonZeroU32,
}

const fn of(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            terminal_per_second: of(50),
            terminal_burst: of(400),
            address_per_minute: of(300),
            address_burst: of(120),
            enrol_per_minute: of(20),
            enrol_burst: of(40),
            login_per_minute: of(20),
            login_burst: of(20),
            head_seconds: of(30),
        }
    }
}

/// What a request is, as far as limits go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A terminal's or a card office's.
    Known,
    /// Of somebody who shows nothing.
    Address,
    /// A try to enrol.
    Enrol,
    /// A try to log in.
    Login,
}

impl Class {
    /// The name in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Known => "terminal",
            Self::Address => "address",
            Self::Enrol => "enrol",
            Self::Login => "login",
        }
    }
}

/// Who asks, before anything is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Asker {
    /// By the fingerprint of a certificate of the city's authority, or the hash of a token.
    Known([u8; 32]),
    /// By the address.
    From(IpAddr),
}

impl Asker {
    /// An address as limits see it: of IPv6 the network of 64 bits, which is one customer's (RFC 6177).
    #[must_use]
    pub fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(six) => Self::From(IpAddr::V6((six.to_bits() & !u128::from(u64::MAX)).into())),
            four @ IpAddr::V4(_) => Self::From(four),
        }
    }
}

type Buckets = RateLimiter<Asker, HashMapStateStore<Asker>, MonotonicClock>;

/// The buckets of one process.
#[derive(Debug)]
pub struct Limits {
    known: Buckets,
    address: Buckets,
    enrol: Buckets,
    login: Buckets,
    asked: AtomicU32,
    metrics: Metrics,
}

fn buckets(burst: NonZeroU32, count: NonZeroU32, period: Duration) -> Buckets {
    let each = period.checked_div(count.get()).unwrap_or(period).max(Duration::from_nanos(1));
    // A period of nothing is the only one that is refused.
    let quota = Quota::with_period(each).unwrap_or_else(|| Quota::per_second(count)).allow_burst(burst);
    RateLimiter::hashmap_with_clock(quota, MonotonicClock)
}

impl Limits {
    /// With full buckets.
    #[must_use]
    pub fn new(settings: &LimitSettings, metrics: Metrics) -> Self {
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        Self {
            known: buckets(settings.terminal_burst, settings.terminal_per_second, second),
            address: buckets(settings.address_burst, settings.address_per_minute, minute),
            enrol: buckets(settings.enrol_burst, settings.enrol_per_minute, minute),
            login: buckets(settings.login_burst, settings.login_per_minute, minute),
            asked: AtomicU32::new(0),
            metrics,
        }
    }

    /// Takes one from the asker's bucket.
    ///
    /// # Errors
    /// How long to wait until there is one.
    pub fn ask(&self, class: Class, asker: Asker) -> Result<(), Duration> {
        let buckets = match class {
            Class::Known => &self.known,
            Class::Address => &self.address,
            Class::Enrol => &self.enrol,
            Class::Login => &self.login,
        };
        if self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(SWEEP_EVERY) {
            [&self.known, &self.address, &self.enrol, &self.login].into_iter().for_each(Buckets::retain_recent);
        }
        buckets.check_key(&asker).map_err(|until| {
            self.metrics.held_back(class.name());
            until.wait_time_from(MonotonicClock.now())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        let settings = LimitSettings {
            terminal_per_second: of(1),
            terminal_burst: of(3),
            enrol_per_minute: of(1),
            enrol_burst: of(2),
            ..LimitSettings::default()
        };
        Limits::new(&settings, Metrics::default())
    }

    #[test]
    fn a_bucket_is_its_askers_own_and_of_its_class() {
        let (limits, address) = (limits(), Asker::from("192.0.2.7".parse().unwrap()));
        let [one, other] = [Asker::Known([1; 32]), Asker::Known([2; 32])];
        let admitted = |class, asker| (0..10).filter(|_| limits.ask(class, asker).is_ok()).count();
        assert_eq!(admitted(Class::Known, one), 3);
        assert_eq!(admitted(Class::Known, other), 3, "another terminal is served");
        assert_eq!(admitted(Class::Enrol, address), 2);
        assert_eq!(admitted(Class::Address, address), 10, "enrolling used up nothing else");
        let wait = limits.ask(Class::Enrol, address).unwrap_err();
        assert!(wait > Duration::from_secs(50) && wait <= Duration::from_secs(60), "{wait:?}");
    }

    #[test]
    fn one_customers_network_is_one_asker() {
        let of = |text: &str| Asker::from(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::3"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::3"), of("2001:db8:1:3::3"));
        assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
        assert_ne!(of("192.0.2.7"), of("192.0.2.8"));
    }
}
