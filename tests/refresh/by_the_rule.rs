//! Two processes on one database do what the model does, one operation after the other and many at once.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use proptest_state_machine::ReferenceStateMachine;
use tokio::runtime::Runtime;

use super::linearization::{Call, explained};
use super::model::{Caller, Family, Kind, Operation, Presented, STEP, Scope, WINDOW};
use super::stage::{Stage, Troupe};

/// An operation at one of the processes.
#[derive(Debug, Clone)]
struct Step {
    process: usize,
    operation: Operation,
    /// How long it waits for the others of its round, in milliseconds.
    delay: u64,
}

fn presented() -> impl Strategy<Value = Presented> {
    let back = prop_oneof![12 => Just(0), 6 => Just(1), 1 => 2..4_u32];
    let changed_bit = prop_oneof![9 => Just(None), 1 => (0..544_usize).prop_map(Some)];
    (back, changed_bit).prop_map(|(back, changed_bit)| Presented { back, changed_bit })
}

fn caller() -> impl Strategy<Value = Caller> {
    prop_oneof![10 => Just(Caller::Owner), 1 => Just(Caller::Impostor), 1 => Just(Caller::Other)]
}

fn scope() -> impl Strategy<Value = Scope> {
    prop_oneof![
        6 => Just(Scope::Left),
        1 => Just(Scope::AllThatWasGranted),
        1 => Just(Scope::Narrower),
        1 => Just(Scope::NeverAskedFor),
    ]
}

/// What may happen at any time.
fn operation() -> BoxedStrategy<Operation> {
    let refresh = (caller(), presented(), scope()).prop_map(|(caller, token, scope)| Operation::Refresh {
        caller,
        token,
        scope,
    });
    // Any generation will do.
    let any_generation = (0..4_u32, presented()).prop_map(|(back, token)| Presented { back, ..token });
    let revoke = (caller(), any_generation).prop_map(|(caller, token)| Operation::Revoke { caller, token });
    let ending = prop::sample::select(vec![
        Operation::SignOut,
        Operation::ChangePassword,
        Operation::DisablePerson,
        Operation::EnablePerson,
        Operation::TakeConsentBack,
    ]);
    prop_oneof![
        24 => refresh,
        4 => presented().prop_map(Operation::AskRefreshToken),
        4 => (0..9_usize).prop_map(Operation::AskAccessToken),
        3 => revoke,
        2 => ending,
    ]
    .boxed()
}

/// What is done alone: time, and changes that a process learns of a little later.
fn operation_alone() -> BoxedStrategy<Operation> {
    let wait = (1..7_u32).prop_map(|steps| Operation::Wait(steps * STEP));
    let client = prop::sample::select(vec![Operation::DisableClient, Operation::EnableClient]);
    prop_oneof![30 => operation(), 6 => wait, 1 => client].boxed()
}

fn family() -> BoxedStrategy<Family> {
    let kind = prop::sample::select(vec![Kind::Confidential, Kind::Public, Kind::Keeping]);
    (prop::sample::select(vec![0, WINDOW]), kind, any::<bool>())
        .prop_map(|(window, kind, offline)| Family::new(window, kind, offline))
        .boxed()
}

fn step(operation: BoxedStrategy<Operation>) -> BoxedStrategy<Step> {
    let delay = prop_oneof![3 => Just(0), 1 => 0..120_u64];
    (0..2_usize, operation, delay)
        .prop_map(|(process, operation, delay)| Step { process, operation, delay })
        .boxed()
}

/// The model as proptest drives it.
struct Rule;

impl ReferenceStateMachine for Rule {
    type State = Family;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Family> {
        family()
    }

    fn transitions(_: &Family) -> BoxedStrategy<Step> {
        step(operation_alone())
    }

    fn apply(mut family: Family, step: &Step) -> Family {
        let newest = family.generation;
        family.answer(&step.operation, newest);
        family
    }
}

/// A server of each kind of window, for all cases of a test.
struct Stages {
    runtime: Runtime,
    strict: Stage,
    lenient: Stage,
}

impl Stages {
    fn start(connections: u32) -> Self {
        let runtime = Runtime::new().unwrap();
        let start = |window| runtime.block_on(Stage::start(window, connections));
        let (strict, lenient) = (start(0), start(WINDOW));
        Self { runtime, strict, lenient }
    }

    /// Plays a case with actors for this family.
    fn play<T>(&self, family: &Family, play: impl AsyncFnOnce(Troupe<'_>) -> T) -> T {
        let stage = if family.window == 0 { &self.strict } else { &self.lenient };
        self.runtime.block_on(async { play(stage.family(family.kind, family.offline).await).await })
    }
}

/// `PROPTEST_CASES` asks for another number of cases.
fn runner(cases: u32) -> TestRunner {
    let cases = std::env::var("PROPTEST_CASES").map_or(cases, |cases| cases.parse().unwrap());
    TestRunner::new(Config { cases, failure_persistence: None, max_shrink_time: 15_000, ..Config::default() })
}

#[test]
fn one_after_the_other_each_answer_is_the_models() {
    let stages = Stages::start(5);
    let history = Rule::sequential_strategy(1..32);
    let outcome = runner(70).run(&history, |(mut family, steps, seen)| {
        stages.play(&family.clone(), async |actors| {
            for step in steps {
                if let Some(seen) = &seen {
                    seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                }
                let newest = actors.newest();
                prop_assert_eq!(newest, family.generation);
                let expected = family.answer(&step.operation, newest);
                let answer = actors.perform(step.process, step.operation, newest).await;
                prop_assert_eq!(answer, expected, "{:?} of {:?}", step, family);
            }
            Ok(())
        })
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn whatever_is_answered_at_once_some_order_explains() {
    let stages = Stages::start(7);
    let round = (0..3_u32, any::<bool>(), prop::collection::vec(step(operation()), 2..9));
    let history = (family(), prop::collection::vec(round, 1..5));
    let outcome = runner(40).run(&history, |(family, rounds)| {
        stages.play(&family.clone(), async |actors| {
            let mut states = HashSet::from([family]);
            for (steps, is_held, round) in rounds {
                let wait = Operation::Wait(steps * STEP);
                actors.perform(0, wait, 0).await;
                states = states.into_iter().map(|family| after(family, wait)).collect();
                let newest = actors.newest();
                let calls = join_all(round.iter().map(|step| call(&actors, step, newest)));
                let calls = if is_held { actors.held(calls).await } else { calls.await };
                let after = explained(&states, &calls);
                prop_assert!(!after.is_empty(), "from {:#?} no order explains {:#?}", states, calls);
                states = after;
            }
            Ok(())
        })
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

fn after(mut family: Family, operation: Operation) -> Family {
    family.answer(&operation, 0);
    family
}

async fn call(actors: &Troupe<'_>, step: &Step, newest: u32) -> Call {
    tokio::time::sleep(Duration::from_millis(step.delay)).await;
    let began = Instant::now();
    let answer = actors.perform(step.process, step.operation, newest).await;
    Call { operation: step.operation, newest, answer, began, ended: Instant::now() }
}
