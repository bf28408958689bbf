"""Bad commands of the experiments: what follows `python -m`, the exit code, words of the one line on stderr."""

from tests.commands.files import LONG

MNIST = "empirical.mnist_compression --epochs 1 --samples 1 --data-dir"
PHOTOS = "empirical.imagenet_compression --data-dir photos"
ROWS = [
    ("empirical more", 2, "unrecognized arguments: more"),
    # empirical.data
    ("empirical.data minst", 2, "a data set must be one of mnist, ..., got 'minst'"),
    ("empirical.data ''", 2, "a data set must be one of mnist, ..., got ''"),
    ("empirical.data mnist --data-dir file.txt", 2, "must name a folder, got file.txt, a file"),
    (f"empirical.data mnist --data-dir {LONG}", 2, "must name a folder of data sets, got ... File name too long"),
    ("empirical.data imagenet --data-dir empty", 2, "must name a folder with imagenet/WNID"),
    ("empirical.data mnist --data-dir bomb", 3, "its head announces 78400 bytes, got more"),
    ("empirical.data mnist --data-dir announced", 3, "at most 1,000,000 images, and its head announces 4,294,967,295"),
    ("empirical.data mnist --data-dir nogzip", 3, "t10k-images-idx3-ubyte.gz cannot be read"),
    ("empirical.data mnist --data-dir labels", 3, "labels must be below 10, got 11"),
    ("empirical.data cifar10 --data-dir cifar_lacks", 3, "cannot be read: it lacks ...data_batch_1"),
    ("empirical.data cifar10 --data-dir cifar_bad", 3, "test_batch in ...tar.gz cannot be read"),
    ("empirical.data cifar10 --data-dir cifar_text", 3, "cifar-10-python.tar.gz cannot be read: Not a gzipped file"),
    # empirical.mnist_compression
    (f"{MNIST} nosevens", 2, "must hold 7s and 1s of mnist ... got no 7 among the 200"),
    (f"{MNIST} noones", 2, "got no 1 among the 200 training images"),
    (f"{MNIST} blank", 2, "7s with some ink to test, got 10 without any"),
    (f"{MNIST} lengths", 3, "there must be a label for each image, and some, got 50 for 100"),
    (f"{MNIST} noimages", 3, "and some, got 0 for 0"),
    (f"{MNIST} bomb", 3, "its head announces 78400 bytes, got more"),
    (f"{MNIST} file.txt", 2, "must name a folder with MNIST/raw"),
    ("empirical.mnist_compression --construction half", 2, "--construction must be among enough, halfway, whole"),
    ("empirical.mnist_compression --epochs 5,", 2, "--epochs must be an integer of at least 1, got ''"),
    ("empirical.mnist_compression --network 1e30", 2, "--network must be at most 1,000,000,000, got one of 31 digits"),
    # empirical.imagenet_compression
    (f"{PHOTOS} --model a/b:c", 2, "--model must be names without a slash"),
    (f"{PHOTOS} --size 100000", 2, "--size must be at most 4,096, got 100000"),
    (f"{PHOTOS} --size 1", 2, "--size must be an integer of at least 32, got 1"),
    (f"{PHOTOS} --nodes 1e9", 2, "--nodes must be at most 10,000"),
    (f"{PHOTOS} --batch 0", 2, "--batch must be an integer of at least 1, got 0"),
    (f"{PHOTOS} --attacks fgsm", 2, "--attacks must be among"),
    (f"{PHOTOS} --source n00000000", 2, "--source must be one of the 2 folders of photographs"),
    (f"{PHOTOS} --checkpoint nowhere.pt", 2, "nowhere.pt must be a whole file of tensors, ... No such file"),
    (f"{PHOTOS} --checkpoint empty", 2, "empty must be a whole file of tensors, ... got: a folder"),
    (f"{PHOTOS} --checkpoint /dev/zero", 2, "/dev/zero must be a whole file of tensors, ... got: no file"),
    ("empirical.imagenet_compression --data-dir empty", 2, "must name a folder with imagenet/WNID"),
    # empirical.examine
    ("empirical.examine --model nowhere:net", 2, "the following arguments are required: --images"),
    ("empirical.examine --images net.npz", 2, "--model must be module:function ... got none"),
    ("empirical.examine --images empty --model a:b", 2, "--images must name a folder with ... got none in"),
    ("empirical.examine --images photos --model a:b --shrunk 101", 2, "--shrunk must be numbers from 0 to 100"),
    # empirical.relu_compression
    ("empirical.relu_compression --width 1e9", 2, "1 x 1,000,000,000 units must fit into"),
    ("empirical.relu_compression --layers 1e9", 2, "--layers must be at most 64, got 1000000000"),
    ("empirical.relu_compression --n 1e5", 2, "--n must be at most 16, as all 2^n points are trained on"),
    ("empirical.relu_compression --inputs 1e12", 2, "--inputs must be at most 1,000,000"),
    ("empirical.relu_compression --scale 1e300", 2, "--scale must be from 1e-06 to 1e+06, got 1e+300"),
    ("empirical.relu_compression --scale 0", 2, "--scale must be positive, got 0"),
    ("empirical.relu_compression --scale nan", 2, "--scale must be positive, got nan"),
    ("empirical.relu_compression --epochs 1e10", 2, "--epochs must be at most 1,000,000,000"),
    # empirical.linear_compression
    ("empirical.linear_compression --hidden 1e9", 2, "16 networks of 1,000,000,000 hidden units must fit into"),
    ("empirical.linear_compression --n 21", 2, "--n must be at most 20"),
    ("empirical.linear_compression --epochs 100", 2, "--epochs must be a multiple of 64"),
    ("empirical.linear_compression --rate 1e300", 2, "--rate must be from 1e-12 to 1e+06"),
    ("empirical.linear_compression --optimiser adam,", 2, "--optimiser must be among adam, sgd, got"),
    # empirical.joint_robustness
    ("empirical.joint_robustness --grid-x 1e9", 2, "--grid-x must be at most 1,000"),
    ("empirical.joint_robustness --grid-w 1", 2, "--grid-w must be an integer of at least 2, got 1"),
    ("empirical.joint_robustness --beta inf", 2, "--beta must be positive, got inf"),
    ("empirical.joint_robustness --radius-x 1e300", 2, "--radius-x must be from 1e-12 to 1e+06"),
    ("empirical.joint_robustness --data-dir mnist --training 161", 2, "--training must be at most 160 for mnist"),
    # empirical.conditioning
    ("empirical.conditioning --rate 1e300", 2, "--rate must be from 1e-12 to 1e+06"),
    ("empirical.conditioning --initial 1e300", 2, "--initial must be glorot or a number from 0 to 1e+06, got 1e300"),
    ("empirical.conditioning --steps 1e9", 2, "--steps must be at most 10,000"),
    ("empirical.conditioning --data-dir mnist --images 101", 2, "--images must be at most 100, the test images"),
    # empirical.latent_defence
    ("empirical.latent_defence --data-dir mnist --training 9 --width 1e9", 2, "1,000,000,000 hidden units must"),
    ("empirical.latent_defence --data-dir mnist", 2, "--training must be at most 200 for mnist, got 10000"),
    ("empirical.latent_defence --noises 1e12", 2, "--noises must be at most 10,000"),
    ("empirical.latent_defence --auto-radius -1", 2, "--auto-radius must be positive, got -1"),
    # empirical.svd_defence
    ("empirical.svd_defence --data-dir mnist --training 9 --width 1e9", 2, "1,000,000,000 hidden units must"),
    ("empirical.svd_defence --data-dir mnist", 2, "--training must be at most 200, as many images as mnist has"),
    ("empirical.svd_defence --confidence 1", 2, "--confidence must be below 1, got 1"),
    ("empirical.svd_defence --pairs 1e100", 2, "--pairs must be at most 10,000, got one of 101 digits"),
    # empirical.convnorm_width
    ("empirical.convnorm_width --dataset digits --widths 1000000", 2, "a WideResNet-16-1000000 must fit into"),
    ("empirical.convnorm_width --widths 2+1", 2, "--widths must increase from one to the next"),
    ("empirical.convnorm_width --normalisations convnorm+bn", 2, "--normalisations must be in the order"),
    ("empirical.convnorm_width --dataset digits --training 1e9", 2, "--training must be at most 1294 for digits"),
    ("empirical.convnorm_width --data-dir cifar_lacks", 3, "it lacks cifar-10-batches-py/data_batch_1"),
    ("empirical.convnorm_width --inner-bn 2", 2, "--inner-bn must be among 0, 1, got 2"),
]
