//! Every word a person sees, hears or reads on paper, per language.
