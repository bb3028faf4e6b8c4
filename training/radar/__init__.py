"""Micro-Doppler simulator: a moving body seen by a 24 GHz continuous-wave radar.

    body.py      segment lengths, joint angles -> points in space
    motions.py   joint angles over time for each activity, with sources
    sensor.py    points -> complex echo -> 64 x 64 uint8 spectrogram (rows are time)
    dataset.py   seeded sets of labelled samples

A simulation is a stand-in: it exercises the training recipe and the compiler with data of the right
shape and difficulty. It says nothing about how well real people would be told apart.
"""
