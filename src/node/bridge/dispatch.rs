//! Calls of the dispatch function.

use std::cell::RefCell;
use std::ffi::c_void;
use std::mem;
use std::ops::Range;
use std::ptr;

use napi::{Result, sys};

use super::Bridge;
use super::records::{RECORDS, Writing};
use super::slab::{self, Shared, Size, medium_length};
use crate::engine::{Batch, Event, Kind, Place};
use crate::memory::buffer_pool;
use crate::node::raw::values::{buffer, check, napi_call, number, undefined};

/// The flag of a record whose value is an index into the fragment lengths.
const FRAGMENTED: u32 = 1 << 16;

/// Calls the bridge's dispatch function with `events` of `batch`, in as many calls as `meta` and the slabs have room for. Nothing
/// is borrowed meanwhile: a listener may have others delivered. It may also give the id away: the calls end once `is_gone`.
pub(crate) fn deliver_events(
    bridge: &Bridge,
    id: u32,
    batch: &RefCell<Batch>,
    events: Range<usize>,
    flags: u32,
    is_gone: impl Fn() -> bool,
) {
    if bridge.is_released() {
        return;
    }
    let records = bridge.records.begin(flags);
    let mut next = events.start;
    while next < events.end && !is_gone() {
        let events = next..events.end;
        let owner = slab::TargetId {
            bridge: bridge.index(),
            id,
        };
        let call = Call::prepare(bridge, owner, &records, &mut batch.borrow_mut(), events);
        match call {
            Ok(call) => {
                next += call.count;
                call.run(bridge, id);
                records.go_on();
            }
            Err(error) => return raise(bridge.env(), &error),
        }
    }
}

/// One call of the dispatch function.
struct Call {
    count: usize,
    /// Memory of payloads: by [`Size`].
    shared: [sys::napi_value; Size::Large as usize],
    large: sys::napi_value,
    fragments: sys::napi_value,
}

/// Where the payload of an event goes. What is no message comes once in a connection's life, and leaves it no slab.
fn size_of(event: &Event) -> Size {
    match Size::of(event.place.len()) {
        Size::Tiny | Size::Small if !event.kind.is_decoded() => Size::Medium,
        size => size,
    }
}

impl Call {
    /// Takes as many events as fit.
    fn prepare(
        bridge: &Bridge,
        owner: slab::TargetId,
        records: &Writing<'_>,
        batch: &mut Batch,
        events: Range<usize>,
    ) -> Result<Self> {
        let (env, slabs) = (bridge.env(), bridge.slabs());
        let nothing = undefined(env);
        let mut call = Self {
            count: 0,
            shared: [nothing; Size::Large as usize],
            large: nothing,
            fragments: nothing,
        };
        let mut large = 0;
        let mut medium: Option<Shared> = None;
        let mut fragments: Vec<u32> = Vec::new();
        for index in events.clone() {
            if call.count == RECORDS {
                break;
            }
            let event = &batch.events[index];
            let length = event.place.len();
            let size = size_of(event);
            let offset = if length == 0 {
                0
            } else if size == Size::Large {
                if large == 0 {
                    // SAFETY: `env` is this thread's, inside a handle scope.
                    call.large = unsafe { napi_call!(napi_create_array, env)? };
                }
                let value = buffer(env, payload(&batch.arena, event))?;
                // SAFETY: both values are live.
                check(unsafe { sys::napi_set_element(env, call.large, large, value) })?;
                large += 1;
                large - 1
            } else {
                let shared = &mut call.shared[size as usize];
                let bytes = payload(&batch.arena, event);
                let offset = if size == Size::Medium {
                    if medium.is_none() {
                        let next = &batch.events[index..events.end];
                        let next = next.iter().filter(|event| size_of(event) == size);
                        let room = medium_length(next.map(|event| event.place.len()));
                        *shared = medium.insert(Shared::new(env, room)?).value;
                    }
                    medium.as_mut().and_then(|medium| medium.put(bytes))
                } else {
                    if *shared == nothing {
                        *shared = slabs.with_room(env, owner, size, length)?;
                    }
                    slabs.put(owner, size, bytes)
                };
                // The rest comes with another call.
                let Some(offset) = offset else { break };
                offset
            };
            let mut word = event.kind as u32 | (size as u32) << 8;
            let mut value = event.value;
            if !event.fragments.is_empty() && event.kind == Kind::Binary {
                word |= FRAGMENTED;
                value = fragments.len() as u32;
                let lengths = &batch.fragments[event.fragments.clone()];
                fragments.push(lengths.len() as u32);
                fragments.extend_from_slice(lengths);
            }
            records.set(call.count, [word, offset, length as u32, value]);
            call.count += 1;
            // A large payload exists twice from here on only as long as it must.
            let event = &mut batch.events[index];
            if size == Size::Large {
                let place = mem::replace(&mut event.place, Place::Owned(Vec::new()));
                if let Place::Owned(bytes) = place {
                    buffer_pool::give(bytes);
                }
            }
        }
        if !fragments.is_empty() {
            call.fragments = make_lengths(env, &fragments)?;
        }
        Ok(call)
    }

    /// Calls. What a listener throws does not come here, `lib/native/bridge.js` hands it to `raise` and goes on; what comes is
    /// uncaught all the same.
    fn run(&self, bridge: &Bridge, id: u32) {
        let env = bridge.env();
        let Some(dispatch) = bridge.dispatch() else {
            return;
        };
        let [tiny, small, medium] = self.shared;
        let arguments = [
            number(env, f64::from(id)),
            number(env, self.count as f64),
            tiny,
            small,
            medium,
            self.large,
            self.fragments,
        ];
        // SAFETY: all values are live; an exception is not left pending.
        unsafe {
            let receiver = undefined(env);
            let (count, values) = (arguments.len(), arguments.as_ptr());
            let result = ptr::null_mut();
            let status = sys::napi_call_function(env, receiver, dispatch, count, values, result);
            if status == sys::Status::napi_pending_exception {
                let mut error = ptr::null_mut();
                if sys::napi_get_and_clear_last_exception(env, &mut error) == sys::Status::napi_ok {
                    sys::napi_fatal_exception(env, error);
                }
            }
        }
    }
}

/// Events that cannot be handed over are an uncaught exception, unless the environment ends and nobody is there.
fn raise(env: sys::napi_env, error: &napi::Error) {
    let text = format!("oxws cannot deliver events: {error}");
    // SAFETY: `env` is this thread's, inside a handle scope; the text is as long as said.
    unsafe {
        let message = napi_call!(
            napi_create_string_utf8,
            env,
            text.as_ptr().cast(),
            text.len() as isize
        );
        let error = message
            .and_then(|message| napi_call!(napi_create_error, env, ptr::null_mut(), message));
        if let Ok(error) = error {
            sys::napi_fatal_exception(env, error);
        }
    }
}

fn payload<'a>(arena: &'a [u8], event: &'a Event) -> &'a [u8] {
    match &event.place {
        Place::Arena(range) => &arena[range.clone()],
        Place::Owned(bytes) => bytes,
        Place::Shared(bytes) => bytes,
    }
}

fn make_lengths(env: sys::napi_env, lengths: &[u32]) -> Result<sys::napi_value> {
    let mut data: *mut c_void = ptr::null_mut();
    // SAFETY: `env` is this thread's, inside a handle scope; the new buffer has room for the lengths.
    unsafe {
        let buffer = napi_call!(
            napi_create_arraybuffer,
            env,
            size_of_val(lengths),
            &mut data
        )?;
        ptr::copy_nonoverlapping(lengths.as_ptr(), data.cast(), lengths.len());
        let kind = sys::TypedarrayType::uint32_array;
        napi_call!(napi_create_typedarray, env, kind, lengths.len(), buffer, 0)
    }
}
