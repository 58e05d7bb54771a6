"""What theory says about gradients through time before anything is trained: closed forms and small equations.

NumPy and SciPy; nothing else of the package is imported here, so that measurement and theory share no code. Sequences
of factors are given as log10 where they may leave float64's range, as the records have them. docs/theory.md names
every function with its equation and says where measurement and theory may part.

`activations`: derivatives of activation functions, and their product over depth. `mean_field`: wide plain networks.
`minimal_rnn`, `gru`, `lstm`: wide gated ones. `carry`: the path through a cell state alone. `identity_relu`: relu
networks that start at the identity. `powers`: norms of powers of a matrix, what bounds them, Pascanu's bound.
`diagonal`: the linear recurrent unit. `latching`: one tanh unit that keeps a bit. `memory`: long memories are
sensitive. `cliff`: the wall in the error of one unit.
"""
