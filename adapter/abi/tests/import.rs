//! A vendor's library, wrapped: its table is copied to its end, its callbacks are contained.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test may state what it expects of its own set-up"
)]

mod common;

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, OnceLock};

use cami_abi::{Callbacks, CameraAlgorithm, LoadError, Revision, VendorLibrary};
use common::{TABLE, Workshop, capture_log, logged};

const POINTER: usize = size_of::<usize>();

#[derive(Debug, PartialEq, Eq, Clone)]
enum Event {
    Returned(u32, u32, i32),
    Notified(u32),
    Updated(u32, Vec<u8>, Option<String>),
}

/// Remembers what it is told.
#[derive(Default)]
struct Recorder(Mutex<Vec<Event>>);

impl Recorder {
    fn events(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Callbacks for Recorder {
    fn returned(&self, req_id: u32, status: u32, buffer_handle: i32) {
        self.0.lock().unwrap().push(Event::Returned(req_id, status, buffer_handle));
    }
    fn notify(&self, message: u32) {
        self.0.lock().unwrap().push(Event::Notified(message));
    }
    fn update(&self, upd_id: u32, header: &[u8], fd: Option<OwnedFd>) {
        let content = fd.map(|fd| {
            let mut text = String::new();
            File::from(fd).read_to_string(&mut text).unwrap();
            text
        });
        self.0.lock().unwrap().push(Event::Updated(upd_id, header.to_vec(), content));
    }
}

/// Reports every call through its callback: status 1000 and above says which, handle says what.
const REPORTER: &str = r#"
    #include <stdlib.h>
    #include <unistd.h>
    #include <sys/stat.h>
    #include "cami/camera_algorithm.h"
    static const camera_algorithm_callback_ops_t *hal;
    int32_t initialize(const camera_algorithm_callback_ops_t *ops) {
        hal = ops;
        hal->return_callback(hal, 1, 1000, -7);
        return 42;
    }
    int32_t register_buffer(int fd) { struct stat s; fstat(fd, &s); close(fd); return s.st_ino; }
    void request(uint32_t id, const uint8_t header[], uint32_t size, int32_t handle) {
        uint32_t sum = header[0];
        for (uint32_t i = 1; i < size; i++) sum += header[i];
        hal->return_callback(hal, id, size ? sum : 99, handle);
    }
    void deregister_buffers(const int32_t handles[], uint32_t size) {
        for (uint32_t i = 0; i < size; i++) hal->return_callback(hal, 3, 1003, handles[i]);
    }
    void update_return(uint32_t id, uint32_t status, int fd) {
        hal->return_callback(hal, id, status, fd < 0 ? fd : (close(fd), 1));
    }
    void deinitialize(void) { hal->return_callback(hal, 5, 1005, 0); }
"#;

fn reporter(workshop: &Workshop, slots: usize) -> VendorLibrary {
    let source = format!("#define SIZE {}\n{REPORTER}{TABLE}", slots * POINTER);
    VendorLibrary::load(&workshop.library(&format!("reporter{slots}"), &source, &[])).unwrap()
}

fn any_file() -> (OwnedFd, u64) {
    let file = tempfile::tempfile().unwrap();
    let inode = file.metadata().unwrap().ino();
    (file.into(), inode)
}

#[test]
fn a_table_is_called_no_further_than_its_symbol_reaches() {
    let workshop = Workshop::new();
    for (slots, revision) in [(4, Revision::E), (5, Revision::F), (6, Revision::G)] {
        let library = reporter(&workshop, slots);
        assert_eq!((library.revision(), library.table_size()), (revision, slots * POINTER));
        let recorder = Arc::new(Recorder::default());
        assert_eq!(library.initialize(recorder.clone()), 42);
        assert_eq!(recorder.events(), [Event::Returned(1, 1000, -7)]);

        let (fd, inode) = any_file();
        let number = fd.as_raw_fd();
        let handle = library.register_buffer(fd);
        assert_eq!(u64::from(handle.cast_unsigned()), inode & 0xffff_ffff, "fd {number}");

        library.request(7, &[1, 2, 3], -1);
        library.request(u32::MAX, &[], i32::MIN);
        library.deregister_buffers(&[4, -5]);
        library.deregister_buffers(&[]);
        assert_eq!(
            recorder.events(),
            [
                Event::Returned(7, 6, -1),
                Event::Returned(u32::MAX, 99, i32::MIN),
                Event::Returned(3, 1003, 4),
                Event::Returned(3, 1003, -5),
            ]
        );

        // Behind a shorter table stand functions that would call back if they were called.
        library.update_return(8, 9, None);
        library.update_return(8, 9, Some(any_file().0));
        let returned = [Event::Returned(8, 9, -1), Event::Returned(8, 9, 1)];
        assert_eq!(recorder.events(), if slots > 4 { &returned[..] } else { &[] });
        library.deinitialize();
        let ended = [Event::Returned(5, 1005, 0)];
        assert_eq!(recorder.events(), if slots > 5 { &ended[..] } else { &[] });

        library.detach();
        library.request(7, &[1], 0);
        assert_eq!(recorder.events(), [], "a detached target was called");
    }
}

#[test]
fn an_empty_table_is_answered_for() {
    let workshop = Workshop::new();
    let path = workshop.library("empty", "void *CAMI[6];", &[]);
    let library = VendorLibrary::load(&path).unwrap();
    assert_eq!(library.initialize(Arc::new(Recorder::default())), -libc::ENOSYS);
    let (mut reader, writer) = std::io::pipe().unwrap();
    assert_eq!(library.register_buffer(writer.into()), -libc::ENOSYS);
    // End of file: the other end was closed, which a leak would not do.
    assert_eq!(reader.read(&mut [0]).unwrap(), 0);
    library.request(0, &[1], 0);
    library.deregister_buffers(&[0]);
    library.update_return(0, 0, None);
    library.deinitialize();
}

/// Calls back in the ways that a faulty library does. `request`'s id says which.
const FAULTY: &str = r#"
    #define _GNU_SOURCE
    #include <pthread.h>
    #include <string.h>
    #include <sys/mman.h>
    #include <unistd.h>
    #include "cami/camera_algorithm.h"
    #include <stddef.h>
    static const camera_algorithm_callback_ops_t *hal;
    int32_t initialize(const camera_algorithm_callback_ops_t *ops) { hal = ops; return 0; }
    int32_t register_buffer(int fd) { close(fd); return 0; }
    static void *many(void *arg) {
        for (uint32_t i = 0; i < 1000; i++) hal->return_callback(hal, i, 0, (int32_t)(intptr_t)arg);
        return arg;
    }
    void request(uint32_t id, const uint8_t header[], uint32_t size, int32_t handle) {
        camera_algorithm_callback_ops_t copy = *hal;
        pthread_t threads[10];
        int fd;
        switch (id) {
        case 0: copy.return_callback(&copy, 1, 2, 3); copy.return_callback(NULL, 1, 2, 3); break;
        case 1: copy.update((const void *)1, 1, header, size, handle); break;
        case 2: hal->update(hal, 2, NULL, 5, dup(handle)); break;
        case 3: hal->update(hal, 3, header, size, -1); break;
        case 4: hal->update(hal, 4, NULL, 0, 987654); break;
        case 5:
            fd = memfd_create("update", 0);
            (void)!write(fd, "from the vendor", 15);
            lseek(fd, 0, SEEK_SET);
            hal->update(hal, 5, header, size, fd);
            break;
        case 6: hal->notify(hal, CAMERA_ALGORITHM_MSG_IPC_ERROR); break;
        case 7: hal->return_callback(hal, 7, 0, handle); break;
        case 8:
            for (intptr_t i = 0; i < 10; i++) pthread_create(&threads[i], NULL, many, (void *)i);
            for (int i = 0; i < 10; i++) pthread_join(threads[i], NULL);
            break;
        }
    }
    void deregister_buffers(const int32_t handles[], uint32_t size) {}
    camera_algorithm_ops_t CAMI = {initialize, register_buffer, request, deregister_buffers};
"#;

fn faulty() -> &'static VendorLibrary {
    static LIBRARY: OnceLock<VendorLibrary> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        // The file may go when it is loaded; what a static holds never does.
        let workshop = Workshop::new();
        VendorLibrary::load(&workshop.library("faulty", FAULTY, &[])).unwrap()
    })
}

/// Panics in every callback, or detaches the library from inside one.
struct Rude {
    panics: bool,
    calls: Mutex<u32>,
}

impl Callbacks for Rude {
    fn returned(&self, _: u32, _: u32, _: i32) {
        *self.calls.lock().unwrap() += 1;
        assert!(!self.panics, "a panic on purpose");
        faulty().detach();
    }
    fn notify(&self, _: u32) {}
    fn update(&self, _: u32, _: &[u8], _: Option<OwnedFd>) {}
}

/// One test, since a library has one target at a time.
#[test]
fn faulty_callbacks_are_contained() {
    capture_log();
    let library = faulty();
    let recorder = Arc::new(Recorder::default());
    assert_eq!(library.initialize(recorder.clone()), 0);

    library.request(0, &[0], 0);
    assert_eq!(recorder.events(), []);
    assert!(logged("its first argument is not the table"));

    // An update through a false table leaves the fd alone; through the true one it takes it.
    let (fd, _) = any_file();
    library.request(1, &[0], fd.as_raw_fd());
    assert_eq!(recorder.events(), []);
    // SAFETY: reads the flags of a number.
    assert!(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFD) } >= 0, "the fd was closed");
    library.request(2, &[0], fd.as_raw_fd());
    assert_eq!(recorder.events(), []);
    assert!(logged("its header is NULL"));

    library.request(3, &[9, 8], 0);
    library.request(4, &[0], 0);
    library.request(5, b"head", 0);
    library.request(6, &[0], 0);
    assert_eq!(
        recorder.events(),
        [
            Event::Updated(3, vec![9, 8], None),
            Event::Updated(4, vec![], None),
            Event::Updated(5, b"head".to_vec(), Some("from the vendor".to_string())),
            Event::Notified(1),
        ]
    );
    assert!(logged("names an fd that is not open"));

    library.request(8, &[0], 0);
    let events = recorder.events();
    assert_eq!(events.len(), 10_000);
    for thread in 0..10 {
        let ids = events.iter().filter_map(|event| match event {
            Event::Returned(id, 0, handle) if *handle == thread => Some(*id),
            _ => None,
        });
        assert!(ids.eq(0..1000), "the order of thread {thread} was lost");
    }

    let rude = Arc::new(Rude { panics: true, calls: Mutex::new(0) });
    library.initialize(rude.clone());
    library.request(7, &[0], 0);
    assert!(logged("a panic in return_callback was contained"));
    let rude = Arc::new(Rude { panics: false, calls: Mutex::new(0) });
    library.initialize(rude.clone());
    library.request(7, &[0], 0);
    library.request(7, &[0], 0);
    assert_eq!(*rude.calls.lock().unwrap(), 1, "a detached target was called");
    assert_eq!(Arc::strong_count(&rude), 1, "a detached target is kept");
}

#[test]
fn what_the_loader_refuses_is_told_in_its_words() {
    let workshop = Workshop::new();
    let source = "void *CAMI[6]; extern int missing_symbol(void); int use(void) \
                  { return missing_symbol(); }";
    let path = workshop.library("unresolved", source, &[]);
    let error = VendorLibrary::load(&path).unwrap_err();
    assert!(matches!(error, LoadError::Open(..)), "{error}");
    assert!(error.to_string().contains("missing_symbol"), "{error}");
    // A refusal costs no slot: more of them than there are slots.
    for _ in 0..=cami_abi::MAX_LIBRARIES {
        assert!(matches!(VendorLibrary::load(&path), Err(LoadError::Open(..))));
    }
    let error = VendorLibrary::load(&workshop.path("missing.so")).unwrap_err();
    assert!(error.to_string().contains("missing.so cannot be read"), "{error}");
}
