# Makes keras_tiny.hd5 and keras_tiny_weights.hd5, the two layouts Keras 2.x wrote.
#   keras_tiny.hd5          model.save: a group model_weights with layer_names and
#                           the backend (theano), one group per layer with
#                           weight_names, datasets of little-endian float32.
#   keras_tiny_weights.hd5  model.save_weights: the same at the root, no backend.
# Group B-trees of rank 1 with two names per leaf keep the files under 10 kB and
# make model_weights span several leaves, as the published files do. h5py does
# not expose that setting, so it is set on the HDF5 library that h5py carries.
# Run as: python make_tiny.py FOLDER   (h5py 3.16.0, numpy 2.4.6, Linux)
import ctypes, h5py, numpy as np, os, sys

lib = next(l.split()[-1] for l in open(f'/proc/{os.getpid()}/maps') if 'libhdf5-' in l)
set_sym_k = ctypes.CDLL(lib).H5Pset_sym_k
set_sym_k.argtypes = [ctypes.c_int64, ctypes.c_uint, ctypes.c_uint]

def make(name, group, backend, layers):
    fcpl = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    assert set_sym_k(fcpl.id, 1, 1) >= 0
    fapl = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    fapl.set_meta_block_size(1)
    fapl.set_libver_bounds(h5py.h5f.LIBVER_EARLIEST, h5py.h5f.LIBVER_V18)
    path = os.path.join(sys.argv[1], name).encode()
    f = h5py.File(h5py.h5f.create(path, h5py.h5f.ACC_TRUNC, fcpl, fapl))
    g = f.create_group(group) if group else f
    if backend:
        g.attrs['backend'] = backend
    g.attrs['layer_names'] = np.array([n.encode() for n, _ in layers])
    t = 0
    for n, ws in layers:
        lg = g.create_group(n)
        names = [f'{n}/{w}' for w, _ in ws]
        lg.attrs['weight_names'] = np.array([w.encode() for w in names]) if names else []
        for w, (_, shape) in zip(names, ws):
            m = int(np.prod(shape))
            # element i of the t-th tensor is 100 t + i - 0.25
            lg.create_dataset(w, data=(100 * t + np.arange(m) - 0.25).astype('<f4').reshape(shape))
            t += 1
    f.close()

make('keras_tiny.hd5', 'model_weights', 'theano',
     [('read_tensor', []), ('conv2d_1', [('kernel:0', (3, 1, 2, 4)), ('bias:0', (4,))]),
      ('dense_1', [('kernel:0', (8, 3))])])
make('keras_tiny_weights.hd5', None, None,
     [('input_1', []), ('conv1d_1', [('kernel:0', (2, 1, 3)), ('bias:0', (3,))])])
