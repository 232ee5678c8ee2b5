/* SPDX-License-Identifier: Apache-2.0 */
#include "oomlet_abi.h"
