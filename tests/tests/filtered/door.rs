//! `libcamera_ipa_proxy.so` in ChromeOS's service, under its filter: the vendor library runs in the
//! forked child itself.

use std::os::unix::fs::FileExt;

use cami_tests::{Room, ServiceSetup, artefact, digest, host_program, under_filter};

use crate::client::{AlgoService, Client, Incoming, buffer};

#[test]
fn whole_interface() {
    let service = AlgoService::start("updates", &[]);
    let mut client = service.connect();
    client.begin();
    let memory = buffer(8192);
    let handle = client.register(&memory);
    assert_eq!(handle, 1);
    client.request(4, b"text", handle);
    assert_eq!(client.next(), Incoming::Updated(4, b"text".to_vec(), true));
    let fd = client.last_fd.take().unwrap();
    let mut content = [0; 4];
    std::fs::File::from(fd.try_clone().unwrap()).read_exact_at(&mut content, 0).unwrap();
    assert_eq!(&content, b"text");
    client.update_return(4, 9, &fd);
    let Incoming::Returned(returned) = client.next() else { panic!("expected an answer") };
    // The same file, number and content (vendors/updates.c).
    assert_eq!((returned.req_id, returned.status, returned.buffer_handle), (4, 7, 9));
    client.deregister(&[handle]);
    client.stop();
    drop(client);
    service.log.wait(&["child exit 0"]);
    service.finish();
}

/// A real library with threads of its own.
#[test]
fn reference_library() {
    let library = artefact("libcam_algo_reference.so").display().to_string();
    let service = AlgoService::start("plain", &[("CAMI_IPA_VENDOR_LIBRARY", &library)]);
    let mut client = service.connect();
    client.begin();
    let memory = buffer(4096);
    let handle = client.register(&memory);
    assert!(handle > 0, "{handle}");
    // No command of the IPU3 protocol: answered, by a thread of the library, with its error.
    client.request(1, b"V", handle);
    client.request(4_000_000_000, b"V", handle);
    let mut answers = Vec::new();
    while answers.len() < 2 {
        let Incoming::Returned(returned) = client.next() else { panic!("expected an answer") };
        answers.push(returned.req_id);
    }
    answers.sort_unstable();
    assert_eq!(answers, [1, 4_000_000_000]);
    client.deregister(&[handle]);
    client.stop();
    drop(client);
    service.log.wait(&["child exit 0"]);
    service.finish();
}

#[test]
fn requests_change_the_clients_memory() {
    let service = AlgoService::start("plain", &[]);
    let mut client = service.connect();
    client.begin();
    let memory = buffer(4096);
    let handle = client.register(&memory);
    client.request(1, &[7; 3], handle);
    let Incoming::Returned(returned) = client.next() else { panic!("expected an answer") };
    assert_eq!(returned.status, digest(&[7; 3]));
    let mut first = [0];
    std::fs::File::from(memory).read_exact_at(&mut first, 0).unwrap();
    assert_eq!(first, [1]);
    service.finish();
}

#[test]
fn clients_live_beside_each_other_in_children_of_their_own() {
    let service = AlgoService::start("plain", &[]);
    // Costs only itself.
    let _silent = service.connect();
    let mut clients: Vec<Client> = (0..3).map(|_| service.connect()).collect();
    for client in &mut clients {
        client.begin();
        assert_eq!(client.register(&buffer(4096)), 1);
    }
    drop(clients.remove(0));
    service.log.wait(&["child exit 0"]);
    for client in &mut clients {
        assert_eq!(client.status(5, &[1]), digest(&[1]));
    }
    service.finish();
}

#[test]
fn callbacks_from_ten_threads_at_once() {
    let service = AlgoService::start("callbacks", &[]);
    let mut client = service.connect();
    client.begin();
    for round in 0..20 {
        client.request(3, &[], round);
        let mut others = 0;
        loop {
            match client.next() {
                Incoming::Returned(returned) if returned.req_id == 3 => break,
                Incoming::Returned(_) => others += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(others, 1000, "round {round}");
    }
    client.stop();
    drop(client);
    service.log.wait(&["child exit 0"]);
    service.finish();
}

#[test]
fn crash_of_the_library_is_end_of_file_and_the_next_client_is_served() {
    let service = AlgoService::start("crash_request", &[]);
    for _ in 0..2 {
        let mut client = service.connect();
        client.begin();
        assert_eq!(client.status(1, &[0]), digest(&[0]));
        client.request(2, b"X", -1);
        assert_eq!(client.next(), Incoming::Closed);
    }
    service.log.wait(&["child signal 11"]);
    service.finish();
}

#[test]
fn client_that_leaves_ends_a_hung_library() {
    let service = AlgoService::start("hang_request", &[]);
    let mut client = service.connect();
    client.begin();
    client.request(1, b"X", -1);
    service.log.wait(&["vendor: hangs"]);
    drop(client);
    service.log.wait(&["child exit 0"]);
    service.finish();
}

/// More answers than socket and backlog hold: the library's process ends, in order.
#[test]
fn client_that_does_not_read_ends_its_own_child() {
    let service = AlgoService::start("plain", &[]);
    let mut client = service.connect();
    client.begin();
    let message = {
        let parts = cami_wire::cros::Request { req_id: 1, header: &[0; 8], buffer_handle: -1 };
        let parts = parts.parts(1);
        [&parts.head[..], parts.header, &parts.tail].concat()
    };
    let slices = [std::io::IoSlice::new(&message)];
    while client.stream.send(&slices, &[], cami_tests::PATIENCE).is_ok() {}
    service.log.wait(&["child exit 1"]);
    service.finish();
}

#[test]
fn bytes_that_make_no_sense_end_the_child_or_are_dropped() {
    use std::io::Write;
    let service = AlgoService::start("plain", &[]);
    for bytes in [&[255_u8; 64][..], &[0; 64], &[4, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]] {
        let mut stream =
            std::os::unix::net::UnixStream::connect(service.room.path("algo.sock")).unwrap();
        stream.write_all(bytes).unwrap();
        let mut end = [0];
        assert_eq!(std::io::Read::read(&mut stream, &mut end).unwrap_or(0), 0);
    }
    service.log.wait(&["out of step"]);
    service.log.wait(&["child exit 1"]);
    // Well framed, and not to be understood.
    let mut client = service.connect();
    client.begin();
    client.send(&[99, 0, 0, 0, 5, 0, 0, 0, 1, 2, 3], &[]);
    client.send(&[5, 0, 0, 0, 5, 0, 0, 0, 1, 2, 3], &[]);
    assert_eq!(client.status(5, &[1]), digest(&[1]));
    assert_eq!(service.log.count(&["child signal"]), 0, "{}", service.log.text());
    service.finish();
}

#[test]
fn library_that_is_missing_is_named_by_init() {
    let service = AlgoService::start("plain", &[("CAMI_IPA_VENDOR_LIBRARY", "/nowhere/lib.so")]);
    let reply = service.connect().init();
    assert_eq!(reply.ret, -libc::ENOENT);
    assert!(reply.info.reason.contains("/nowhere/lib.so"), "{}", reply.info.reason);
    service.log.wait(&["child exit 0"]);
    service.finish();
}

#[test]
fn refusals_are_return_codes_with_a_line() {
    let shim = artefact("libcam_algo.so").display().to_string();
    for (variable, value, code, text) in [
        ("CAMI_IPA_VENDOR_LIBRARY", "", -libc::ENOENT, "no vendor library is configured"),
        ("CAMI_IPA_VENDOR_LIBRARY", "libnone.so", -libc::ENOENT, "library_path"),
        ("CAMI_IPA_VENDOR_LIBRARY", &shim, -libc::ELOOP, "libcam_algo.so"),
        ("CAMI_IPA_PROFILE", "nonsense", -libc::EINVAL, "profile"),
        ("CAMI_IPA_CONFIG", "/nowhere/cami-ipa.toml", -libc::EINVAL, "/nowhere/cami-ipa.toml"),
    ] {
        let service = AlgoService::start("plain", &[(variable, value)]);
        let mut client = service.connect();
        service.log.wait(&[text]);
        service.log.wait(&[&format!("ipaRun returned {code}")]);
        assert_eq!(client.next(), Incoming::Closed);
        service.log.wait(&["child exit 0"]);
        service.finish();
    }
}

#[test]
fn numbers_that_are_no_sockets_are_refused() {
    let room = Room::new();
    let output = under_filter(&host_program("algo_service"))
        .arg(artefact("libcamera_ipa_proxy.so"))
        .env("CAMI_IPA_CONFIG", room.path("cami-ipa.toml"))
        .output()
        .unwrap();
    let code = -libc::EBADF;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(text.trim(), format!("{code} {code}"), "{}", output.status);
}

#[test]
fn configuration_file_with_a_bare_name_and_a_section() {
    let room = Room::new();
    let vendor = room.install("plain", "libfound.so");
    let text = format!(
        "vendor_library = \"/nowhere\"\nlog = \"debug,stderr\"\n[\"libcamera_ipa_proxy.so\"]\n\
         vendor_library = \"libfound.so\"\nlibrary_path = [\"/nowhere\", \"{}\"]\n",
        vendor.parent().unwrap().display()
    );
    std::fs::write(room.path("cami-ipa.toml"), text).unwrap();
    let config = room.path("cami-ipa.toml").display().to_string();
    let service = AlgoService::start(
        "plain",
        &[("CAMI_IPA_CONFIG", &config), ("CAMI_IPA_VENDOR_LIBRARY", "")],
    );
    let mut client = service.connect();
    client.begin();
    assert_eq!(client.status(5, &[1]), digest(&[1]));
    service.log.wait(&["serving", "libfound.so"]);
    service.finish();
}

#[test]
fn log_may_go_to_the_system_log_or_a_file() {
    let room = Room::new();
    let file = room.path("log");
    std::fs::write(&file, "").unwrap();
    for target in ["debug,syslog".to_owned(), format!("debug,{}", file.display())] {
        let service = AlgoService::start("plain", &[("CAMI_IPA_LOG", &target)]);
        let mut client = service.connect();
        client.begin();
        assert_eq!(client.status(5, &[1]), digest(&[1]));
        drop(client);
        service.log.wait(&["child exit 0"]);
        service.finish();
    }
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("serving"), "{text}");
}

/// With the key `socket` the library runs in a host of our service, and the child is a pump.
#[test]
fn behind_our_service() {
    let ours = ServiceSetup::new("updates").with("CAMI_IPA_SERVICE__CLIENTS", "many").start();
    let socket = ours.socket.display().to_string();
    let service = AlgoService::start("plain", &[("CAMI_IPA_SOCKET", &socket)]);
    let mut client = service.connect();
    client.begin();
    assert_eq!(ours.vendors().len(), 1);
    assert_eq!(client.register(&buffer(4096)), 1);
    client.request(4, b"text", 1);
    assert_eq!(client.next(), Incoming::Updated(4, b"text".to_vec(), true));
    let fd = client.last_fd.take().unwrap();
    client.update_return(4, 9, &fd);
    let Incoming::Returned(returned) = client.next() else { panic!("expected an answer") };
    assert_eq!((returned.req_id, returned.status, returned.buffer_handle), (4, 7, 9));
    client.stop();
    let hosts = ours.hosts();
    drop(client);
    service.log.wait(&["child exit 0"]);
    ours.wait_for_end(&hosts);
    service.finish();
    ours.finish();
}

#[test]
fn crash_behind_our_service_is_named_in_the_log() {
    let ours = ServiceSetup::new("crash_request").start();
    let socket = ours.socket.display().to_string();
    let service = AlgoService::start("plain", &[("CAMI_IPA_SOCKET", &socket)]);
    let mut client = service.connect();
    client.begin();
    client.request(2, b"X", -1);
    assert_eq!(client.next(), Incoming::Closed);
    service.log.wait(&["died", "SIGSEGV", "libvendor.so"]);
    service.log.wait(&["child exit 1"]);
    service.finish();
    ours.finish();
}

#[test]
fn load_behind_our_service_arrives_in_order() {
    let ours = ServiceSetup::new("plain").start();
    let socket = ours.socket.display().to_string();
    let service = AlgoService::start("plain", &[("CAMI_IPA_SOCKET", &socket)]);
    let mut client = service.connect();
    client.begin();
    for first in (0..5000).step_by(100) {
        for id in first..first + 100 {
            client.request(id, &id.to_le_bytes(), -1);
        }
        for id in first..first + 100 {
            let Incoming::Returned(returned) = client.next() else { panic!("expected an answer") };
            assert_eq!((returned.req_id, returned.status), (id, digest(&id.to_le_bytes())));
        }
    }
    drop(client);
    service.log.wait(&["child exit 0"]);
    service.finish();
    ours.finish();
}
