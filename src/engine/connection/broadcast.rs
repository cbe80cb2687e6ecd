//! Frames that many connections get.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::task::Context;

use super::phase::Phase;
use super::state::State;
use super::{Connection, Flush};
use crate::engine::fan_out::{FanOut, Receivers};
use crate::engine::shared_frame::SharedFrame;

/// What became of a frame for one of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum SharedSend {
    /// It is in the queue, or beyond.
    Queued = 0,
    /// Too much waits there already.
    Slow = 1,
    /// It cannot be put in: JavaScript has the endpoint.
    Elsewhere = 2,
    /// Nothing can be sent any more.
    Closed = 3,
}

/// One of many.
#[derive(Clone)]
pub struct Receiver {
    /// The connection.
    pub connection: Arc<Connection>,
    /// What those who send know it by.
    pub slot: u32,
    /// Which of the frames of a message it gets.
    pub class: u8,
}

/// A list of connections that get the same messages.
#[derive(Clone, Default)]
pub struct ReceiverList {
    list: Vec<Receiver>,
    /// The places in it by address, in order, once somebody looks for one.
    places: OnceLock<Vec<(usize, u32)>>,
}

impl ReceiverList {
    /// The receivers.
    pub fn list(&self) -> &[Receiver] {
        &self.list
    }

    /// The same, to be changed.
    pub fn list_mut(&mut self) -> &mut Vec<Receiver> {
        self.places = OnceLock::new();
        &mut self.list
    }

    /// The slots of those for whom more than `most` bytes wait, after a try to write.
    pub fn slow(&self, most: usize) -> Vec<u32> {
        if most == usize::MAX {
            return Vec::new();
        }
        let slow = self
            .list
            .iter()
            .filter(|each| each.connection.is_slow(most));
        slow.map(|each| each.slot).collect()
    }
}

impl From<Vec<Receiver>> for ReceiverList {
    fn from(list: Vec<Receiver>) -> Self {
        Self {
            list,
            places: OnceLock::new(),
        }
    }
}

impl Receivers for ReceiverList {
    fn count(&self) -> usize {
        self.list.len()
    }

    fn receive(&self, index: usize, fan_outs: &[Arc<FanOut>]) {
        let Receiver {
            connection,
            slot,
            class,
        } = &self.list[index];
        connection.receive_shared(fan_outs, *slot, *class);
    }

    fn find(&self, address: usize) -> Option<usize> {
        let places = self.places.get_or_init(|| {
            let places = self.list.iter().zip(0..);
            let mut places: Vec<_> = places
                .map(|(each, place)| (each.connection.address(), place))
                .collect();
            places.sort_unstable();
            places
        });
        let found = places.binary_search_by_key(&address, |(each, _)| *each);
        found.ok().map(|index| places[index].1 as usize)
    }
}

impl Connection {
    /// Sends a frame that others get, too, unless more than `most` bytes wait already. No message is unfinished.
    pub fn send_shared(
        self: &Arc<Self>,
        frame: &SharedFrame,
        most: usize,
        flush: Flush,
    ) -> SharedSend {
        let mut result = SharedSend::Closed;
        self.break_on_panic(|| {
            self.command(|state, context| {
                result = state.send_shared(context, frame, most);
                state.flush_if_now(context, flush);
            });
        });
        result
    }

    /// Whether more than `most` bytes wait, after a try to write.
    pub fn is_slow(self: &Arc<Self>, most: usize) -> bool {
        // Nobody is asked who has nothing waiting.
        self.backlog.load(Ordering::Relaxed) > most && {
            self.flush();
            self.pending() > most
        }
    }

    /// Sends those frames of fan-outs that it does not have yet.
    fn receive_shared(self: &Arc<Self>, fan_outs: &[Arc<FanOut>], slot: u32, class: u8) {
        self.break_on_panic(|| {
            let has_news = self.with_state(|state, context| {
                let mut is_new = false;
                for fan_out in fan_outs {
                    if state.last_fan_out >= fan_out.sequence() {
                        continue;
                    }
                    state.last_fan_out = fan_out.sequence();
                    if let Some(frame) = fan_out.frame_for(slot, class) {
                        state.send_shared(context, frame, fan_out.most());
                        is_new = true;
                    }
                }
                if is_new {
                    state.flush(context);
                    state.close_if_ended();
                }
                is_new && state.has_news()
            });
            if has_news {
                self.schedule();
            }
        });
    }

    /// What fan-outs know it by.
    pub(super) fn address(self: &Arc<Self>) -> usize {
        Arc::as_ptr(self).addr()
    }
}

impl State {
    fn send_shared(
        &mut self,
        context: &mut Context<'_>,
        frame: &SharedFrame,
        most: usize,
    ) -> SharedSend {
        if !self.is_writable() {
            return SharedSend::Closed;
        }
        // What was sent in this tick only waits for its end.
        if self.output.pending() > most {
            self.flush(context);
            if self.output.pending() > most {
                return SharedSend::Slow;
            }
        }
        let Phase::Open { endpoint, .. } = &mut self.input.phase else {
            return SharedSend::Elsewhere;
        };
        if self.output.is_blocked_by_compression() {
            self.output.wait_shared(frame);
        } else {
            if frame.is_compressed {
                // The receiver's window goes on with this message, and the endpoint does not know it.
                endpoint.forget_context();
            }
            self.output.put_shared(&frame.bytes);
        }
        SharedSend::Queued
    }
}
