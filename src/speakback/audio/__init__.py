"""Sound as arrays of samples: conversion, resampling, fades, artifacts and the playout ledger."""
