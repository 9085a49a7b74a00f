//! Every message that libcamera was seen to send, decoded and encoded again.

use std::collections::BTreeSet;

use cami_wire::Header;
use cami_wire::libcamera::{ControlSerializer, Dialect, Role, ipu3, vimc};

use crate::common::captures::{CAPTURES, Direction, Interface, Message, messages};
use crate::mask::assert_same_but_uninitialised;

/// Calls that are not answered: `exit`, and the asynchronous ones, which both interfaces number
/// from 7.
fn is_answered(command: u32) -> bool {
    (1..=6).contains(&command)
}

/// Tells answers from events as libcamera does, by the cookie.
struct Classifier(BTreeSet<u32>);

impl Classifier {
    fn is_answer(&mut self, message: &Message) -> bool {
        if message.direction == Direction::HostToWorker {
            if is_answered(message.command) {
                self.0.insert(message.cookie);
            }
            return false;
        }
        self.0.remove(&message.cookie)
    }
}

/// Decodes and encodes; returns the bytes and the number of file descriptors they need.
fn again_ipu3(message: &Message, is_answer: bool, dialect: Dialect) -> (Vec<u8>, usize) {
    let (header, body) = Header::decode(&message.bytes).unwrap();
    let Header { command, cookie } = header;
    if is_answer {
        let reply = ipu3::Reply::decode(command, body, dialect).unwrap();
        (reply.encode(cookie, dialect).unwrap(), reply.expected_fds())
    } else if message.direction == Direction::HostToWorker {
        let call = ipu3::Call::decode(command, body, dialect).unwrap();
        (call.encode(cookie, dialect).unwrap(), call.expected_fds())
    } else {
        let event = ipu3::Event::decode(command, body, dialect).unwrap();
        (event.encode(dialect).unwrap(), event.expected_fds())
    }
}

fn again_vimc(message: &Message, is_answer: bool, dialect: Dialect) -> (Vec<u8>, usize) {
    let (header, body) = Header::decode(&message.bytes).unwrap();
    let Header { command, cookie } = header;
    if is_answer {
        let reply = vimc::Reply::decode(command, body, dialect).unwrap();
        (reply.encode(cookie), reply.expected_fds())
    } else if message.direction == Direction::HostToWorker {
        let call = vimc::Call::decode(command, body, dialect).unwrap();
        (call.encode(cookie, dialect).unwrap(), call.expected_fds())
    } else {
        let event = vimc::Event::decode(command, body, dialect).unwrap();
        (event.encode(), event.expected_fds())
    }
}

#[test]
fn every_captured_message_decoded_and_encoded_is_the_same() {
    for (file, interface, dialect) in CAPTURES {
        let mut classifier = Classifier(BTreeSet::new());
        for message in messages(file) {
            let is_answer = classifier.is_answer(&message);
            let (ours, fds) = match interface {
                Interface::Ipu3 => again_ipu3(&message, is_answer, dialect),
                Interface::Vimc => again_vimc(&message, is_answer, dialect),
            };
            let what = format!("{file}, command {}, cookie {}", message.command, message.cookie);
            assert_same_but_uninitialised(&ours, &message.bytes, dialect, &what);
            assert_eq!(fds, message.fds, "{what}: file descriptors");
        }
        assert!(classifier.0.is_empty(), "{file}: unanswered calls {:?}", classifier.0);
    }
}

#[test]
fn captured_header_decoded_agrees_with_capture() {
    for (file, _, _) in CAPTURES {
        for message in messages(file) {
            let (header, _) = Header::decode(&message.bytes).unwrap();
            assert_eq!((header.command, header.cookie), (message.command, message.cookie));
        }
    }
}

#[test]
fn dialect_of_captured_init_is_detected() {
    for (file, interface, dialect) in CAPTURES {
        if interface == Interface::Ipu3 {
            let init = messages(file).swap_remove(0);
            let (_, body) = Header::decode(&init.bytes).unwrap();
            let detected = ipu3::detect_dialect(body).unwrap();
            // `init` does not tell 0.6.0 and 0.7.1 apart.
            assert_eq!(detected, dialect.min(Dialect::V0_6), "{file}");
        }
    }
}

#[test]
fn captured_control_lists_in_session_refer_to_known_maps() {
    for (file, interface, dialect) in CAPTURES {
        if interface != Interface::Ipu3 {
            continue;
        }
        let mut serializer = ControlSerializer::new(Role::Worker);
        let mut classifier = Classifier(BTreeSet::new());
        let mut lists = 0;
        for message in messages(file) {
            let is_answer = classifier.is_answer(&message);
            let (header, body) = Header::decode(&message.bytes).unwrap();
            let (maps, found) = if is_answer {
                match ipu3::Reply::decode(header.command, body, dialect).unwrap() {
                    ipu3::Reply::Init { ipa_controls, .. }
                    | ipu3::Reply::Configure { ipa_controls, .. } => (vec![ipa_controls], vec![]),
                    _ => (vec![], vec![]),
                }
            } else if message.direction == Direction::HostToWorker {
                match ipu3::Call::decode(header.command, body, dialect).unwrap() {
                    ipu3::Call::Init { sensor_controls, .. } => (vec![sensor_controls], vec![]),
                    ipu3::Call::Configure(info) => {
                        serializer.reset();
                        (vec![info.sensor_controls, info.lens_controls], vec![])
                    }
                    ipu3::Call::QueueRequest { controls, .. } => (vec![], vec![controls]),
                    ipu3::Call::ProcessStats { sensor_controls, .. } => {
                        (vec![], vec![sensor_controls])
                    }
                    _ => (vec![], vec![]),
                }
            } else {
                match ipu3::Event::decode(header.command, body, dialect).unwrap() {
                    ipu3::Event::SetSensorControls { sensor_controls, lens_controls, .. } => {
                        (vec![], vec![sensor_controls, lens_controls])
                    }
                    ipu3::Event::MetadataReady { metadata, .. } => (vec![], vec![metadata]),
                    ipu3::Event::ParamsComputed { .. } => (vec![], vec![]),
                }
            };
            for map in maps.into_iter().flatten() {
                assert!(serializer.receive_map(map).unwrap().is_some());
            }
            for list in found.into_iter().flatten() {
                serializer.receive_list(list).unwrap();
                lists += 1;
            }
        }
        assert!(lists >= 7, "{file}: only {lists} lists");
    }
}
