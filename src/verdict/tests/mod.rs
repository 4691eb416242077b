//! Tests of the evaluator: facts in, verdict out.
