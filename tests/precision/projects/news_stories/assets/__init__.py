from . import core as core
from . import plots as plots
