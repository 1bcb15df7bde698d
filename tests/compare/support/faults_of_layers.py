"""All faults of layers."""

from tests.compare.support import faults_of_convolutions, faults_of_order, faults_of_pooling

FAULTS = [*faults_of_convolutions.FAULTS, *faults_of_order.FAULTS, *faults_of_pooling.FAULTS]
