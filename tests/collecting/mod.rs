//! `harness` starts collectors and looks at what became of them; each other module is about one of them.

mod capture;
mod guest;
mod harness;
mod life;
mod linux;
mod machine;
mod perf;
mod proc;
mod qmp;
