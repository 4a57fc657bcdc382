//! The program: everything is in the library.

fn main() -> std::process::ExitCode {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == "agent") {
        return chainwright::agent::serve::main();
    }
    std::process::ExitCode::SUCCESS
}
