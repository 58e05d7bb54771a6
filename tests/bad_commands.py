"""Command lines that cannot work: each must be refused with one message, and leave nothing. `|` stands between two."""

from __future__ import annotations

NAMES = """
lstm | seed | arch | plam | sweep | train | task.length | first_look | figurs | PLAN | hlep | '' |
arch=rnn_tan | arch= | arch=null | arch=LSTM | arch=[lstm] | arch=lstm,gru,gur -m | arch=glob(x*) -m |
init=ortho | init=1 | clip=nrom | task=addin | optim=adamm | tracker=wnb | executor=slurm |
experiment=first_lok | experiment=../x | experiment=/ | experiment=- | +experiment=first_look | sed=1 |
lenght=5 | task.lenght=5 | arch.name=lstm | arch.options=1 | train=1 | train=null | plan=1 |
optim.learning_rate=1 | task.length.x=1 | +task.depth=1 | +task.length=1 | ++task.depth=1 | ~clip | ~arch |
~seed | ~train.steps | arch.forget_bias=1 | arch=gru arch.forget_bias=1 | init.std=1 | optim.momentum=0.5 |
clip.treshold=1 | train.step=5 | train.logevery=5 | executor.worker=2 | executor.patients=5 | plan.cells=5 |
arch=rnn_tan init=ortho task.lenght=50 | arch.hidden | =3 | == | seed==1 | a b=1 | seed=1 lstm | -m lstm
"""
VALUES = """
arch.hidden=0 | arch.hidden=-1 | arch.hidden=1.5 | arch.hidden=many | arch.hidden=null | arch.hidden=true |
task.length=0 | task.length=1 | task.length=-5 | task.length=1e3 | task.length= | task.length=[1,2] |
task=digits task.length=10 | task.length=abc | task.solved_at=inf | task.solved_at=high | init.gain=-1 |
init.gain=inf | init=random init.std=-1 | clip=norm clip.threshold=0 | clip=value clip.threshold=-1 |
clip=norm clip.threshold=nan | optim.lr=inf | optim.lr=-1e-3 | optim.lr=nan | optim.lr=fast | optim.lr=true |
optim.beta1=1 | optim.beta2=2 | optim.eps=0 | optim=sgd optim.momentum=1 | optim=rmsprop optim.alpha=-1 |
train.steps=0 | train.steps=1.5 | train.steps=-1 | train.steps=soon | train.batch=0 | train.batch=x |
train.log_every=0 | train.log_every=-2 | train.log_every=7 | train.eval_every=15 | train.eval_every=0 |
train.eval_size=1 | train.eval_size=0 | train.stop_when_solved=maybe | train.stop_when_solved=1 | seed=-1 |
seed=1.0 | seed='3' | seed=x | seed=null | seed=[1] | seed={a:1} | seed=true | seed=inf | tracker.mode=onlin |
tracker.mode=5 | tracker.entity=null | tracker.project=null | executor.kernel=fast | executor.device=tpu |
executor.device=cuda executor.kernel=native | executor.workers=-1 | executor.lanes=-1 | executor.lanes=x |
executor.patience=0 | executor.patience=-1 | executor.patience=long | plan.max_cells=0 | plan.max_cells=x |
plan.max_cells=inf | runs_dir= | runs_dir='' | runs_dir='  ' | runs_dir=5 | runs_dir=null |
runs_dir=${nowhere} | runs_dir=taken | runs_dir=taken/runs | runs_dir=/proc/nowhere
"""
SIZES = """
arch.hidden=1000000 | arch.hidden=99999999999999999999 | task.length=999999999999 | train.batch=1000000000000 |
train.eval_size=1000000000000 | train.steps=100000000000000 train.log_every=1 train.eval_every=10 |
arch=lstm,gru arch.hidden=1000000 -m | task=binary_sum task.length=999999999999 |
task.length=50,99999999999 -m
"""
GRIDS = """
-m seed=1,2 seed=3,4 | -m seed=1 seed=1 | -m arch=lstm,gru arch=gru |
-m seed=range(1000000) | -m seed=range(20001) | -m seed=range(0,1e12,1) | -m seed=range(0,1,0) |
-m seed=range(1000000) plan.max_cells=999999 | -m seed=range(200) task.length=range(2,103) | -m seed=range(0) |
-m seed=range(5) plan.max_cells=4 | -m seed=interval(0,1) | -m seed=range(3 | -m seed=choice( | -m seed=, |
-m seed=0,1,-1 | -m seed=1,x | -m optim.lr=1e-3,-1 | -m train.steps=5,0 | -m task.length=1,2 | seed=1,2 |
arch=lstm,gru | -m runs_dir=a,b | -m experiment=first_look,digits | -m tracker=csv,wandb | seed=range(3) |
-m executor.lanes=1,2 | -m executor.patience=5,6 | -m plan.max_cells=10,20 | -m tracker.mode=offline,online |
-m executor.kernel=torch,auto | -m seed=[1,2] | -m task.length=[50,100] | -m arch=[lstm,gru]
"""
HYDRA = """
--nothing | --confg x | -x | -mm | --cfg | --cfg nothing | --info nothing | --resolve | --multirun --run |
-m hydra.launcher._target_=x | -m hydra.sweeper._target_=x | -m hydra.sweeper.params=null | hydra.mode=5 |
-m hydra/launcher=nothing | -m hydra/sweeper=nothing | -m hydra.launcher.nothing=1 | hydra.nothing=1 |
--config-name nothing | --config-dir nowhere seed=1 | -m hydra.sweeper.params=5 | -m hydra.sweeper=5 |
-m hydra.launcher=null | hydra.searchpath=5 | hydra=null | hydra.run.dir=taken/x |
-m hydra/launcher=basic seed=-1 | -m hydra/launcher=basic seed=1,2 seed=3 | -m hydra.launcher.dry_run=perhaps |
--package nothing --cfg job | -c x | -p | --experimental-rerun nowhere
"""
COMMANDS = """
plan arch=rnn_tan | plan lstm | plan hydra.nothing=1 | plan seed=range(1000000) | plan seed=1 seed=2 | plan -x |
plan arch.hidden=1000000 | report experiment=nothing | report experiment= | report experiment=.. | report x |
report runs_dir= | report runs_dir=nowhere | report experiment=a experiment=b | report --nothing |
report seed=1 | figures experimnt=x | figures nothing | figures experiment=a/b | figure nothing |
figure share_solved | figure share_solved formats= | figure share_solved runs_dir=nowhere | verify x |
verify experiment=nothing | mirror bogus | mirror experiment=nothing | mirror tracker.mode=x |
mirror tracker=csv | sync x | sync runs_dir= | sync experiment=nothing | workspace x |
workspace experiment=nothing | dashboard open=perhaps | dashboard port=x | dashboard port=-1 |
dashboard port=99999 | dashboard nothing | mirror --folow |
compare | compare nothing | compare nothing other | compare experiment=nothing | compare ./ ./ | compare ./ nowhere/x |
compare -x | compare a b c | compare experiment=a,a | report experiment=a,a | report experiment=a,b |
report experiment=a, | verify experiment=a,b | dashboard experiment=a,b | find experiment=a,,b |
verify experiment=first_look into=x | plan experiment=nothing |
find experiment=nothing | find lstm | find arch=lstm runs_dir= | find experiment=a experiment=b | find -x |
find arch=lstm arch=gru | show | show cell=xyz | show cell= | show cell=0123 | show 0123 | show cell=0123 --agian |
show cell=0123456789abc | show cell=0123 page=x.csv | show cell=0123 page=taken/x.html --again |
show cell=0123 experiment=nothing | show cell=0123 cell=4567 | show cell=0123 runs_dir=nowhere
"""

BAD = [line.strip() for group in (NAMES, VALUES, SIZES, GRIDS, HYDRA, COMMANDS) for line in group.split("|")]
