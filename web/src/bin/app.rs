//! The page: what the browser runs on its main thread.

fn main() {
    web::view::mount();
}
