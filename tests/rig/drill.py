# SPDX-License-Identifier: BSD-2-Clause
"""The library by which packetdrill drives our stack (tests/packetdrill/adaptor.h), called as
packetdrill calls it: sockets by the functions of its table, packets in and out, virtual time."""
import ctypes
import socket
import struct

NAMES = """userdata free socket bind listen accept connect read readv recv recvfrom recvmsg
write writev send sendto sendmsg fcntl ioctl close shutdown getsockopt setsockopt poll netdev_send
netdev_receive usleep gettimeofday epoll_create epoll_ctl epoll_wait pipe splice""".split()
FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
ADDRESSES = {"ipv4": ("192.168.0.1", "192.0.2.1"), "ipv6": ("2001:db8::2", "2001:db8::1")}
OUR_PORT, PEER_PORT = 8080, 36000
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


class Table(ctypes.Structure):
    """struct packetdrill_interface: pointers all of them."""
    _fields_ = [(name, ctypes.c_void_p) for name in NAMES]


def checksum(data):
    """RFC 1071."""
    words = struct.unpack(f"!{len(data) // 2}H", data) if len(data) % 2 == 0 else \
        struct.unpack(f"!{len(data) // 2 + 1}H", data + b"\0")
    total = sum(words)
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ends_of(family):
    """The peer's address and ours, as a packet of the peer's has them."""
    own, peer = (socket.inet_pton(FAMILIES[family], text) for text in ADDRESSES[family])
    return peer + own


def segment(flags, seq, ack=0, data=b"", options=b"", window=1000, family="ipv4"):
    """A packet of the peer's."""
    ends = ends_of(family)
    offset = (20 + len(options)) // 4 << 12

    def tcp(summed):
        return struct.pack("!HHIIHHHH", PEER_PORT, OUR_PORT, seq, ack, offset | flags, window,
                           summed, 0) + options + data

    def ip(summed):
        if family == "ipv6":
            return struct.pack("!IHBB", 6 << 28, len(tcp(0)), 6, 64) + ends
        return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp(0)), 0, 0x4000, 64, 6,
                           summed) + ends

    pseudo = ends + struct.pack("!HH", 6, len(tcp(0)))
    return ip(checksum(ip(0))) + tcp(checksum(pseudo + tcp(0)))


class Packet:
    """One that left, its checksums looked at."""

    def __init__(self, data, time_us):
        self.time_us = time_us
        self.family = "ipv6" if data[0] >> 4 == 6 else "ipv4"
        header = 40 if self.family == "ipv6" else 20
        tcp = data[header:]
        self.seq, self.ack, offset, self.window = struct.unpack("!IIHH", tcp[4:16])
        self.flags = offset & 0x3f
        self.options = tcp[20:(offset >> 12) * 4]
        self.data = tcp[(offset >> 12) * 4:]
        if self.family == "ipv4":
            assert len(data) == struct.unpack("!H", data[2:4])[0]
            assert checksum(data[:header]) == 0
        else:
            assert len(tcp) == struct.unpack("!H", data[4:6])[0]
        ends = data[header - len(ends_of(self.family)):header]
        assert checksum(ends + struct.pack("!HH", 6, len(tcp)) + tcp) == 0


class Drill:
    """The library with one script's worth of calls."""

    def __init__(self, library, family="ipv4"):
        self.table = Table()
        self.family = family
        ctypes.CDLL(str(library)).packetdrill_interface_init(family.encode(),
                                                             ctypes.byref(self.table))

    def call(self, name, *arguments):
        """What the function returns; arguments are numbers, bytes or objects of ctypes."""
        function = ctypes.CFUNCTYPE(ctypes.c_long)(getattr(self.table, name))
        return ctypes.c_int(function(None, *arguments)).value

    def give(self, *what, **more):
        """A packet of the peer's comes in, as segment() makes them."""
        packet = segment(*what, family=self.family, **more)
        assert self.call("netdev_send", packet, ctypes.c_size_t(len(packet))) == 0

    def take(self):
        """The next packet that leaves, or has left; time goes on until then."""
        data = ctypes.create_string_buffer(65536)
        size, time_us = ctypes.c_size_t(65536), ctypes.c_longlong()
        assert self.call("netdev_receive", data, ctypes.byref(size), ctypes.byref(time_us)) == 0
        return Packet(data.raw[:size.value], time_us.value)

    def wait_us(self, us):
        """Virtual time goes on."""
        assert self.call("usleep", us) == 0

    def now_us(self):
        """The virtual time."""
        time = (ctypes.c_long * 2)()
        assert self.call("gettimeofday", time, None) == 0
        return time[0] * 1000000 + time[1]

    def listen(self):
        """A descriptor that listens."""
        family = FAMILIES[self.family]
        fd = self.call("socket", family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        address = struct.pack("=HH24x", family, socket.htons(OUR_PORT))
        assert fd >= 0
        assert self.call("bind", fd, address, len(address)) == 0
        assert self.call("listen", fd, 1) == 0
        return fd

    def number(self, fd, level, name):
        """An option of a socket that is a number."""
        value, size = ctypes.c_int(), ctypes.c_int(4)
        assert self.call("getsockopt", fd, level, name, ctypes.byref(value),
                         ctypes.byref(size)) == 0
        return value.value

    def info(self, fd):
        """TCP_INFO: the first 104 bytes of it, by name."""
        value, size = ctypes.create_string_buffer(1024), ctypes.c_int(1024)
        assert self.call("getsockopt", fd, socket.IPPROTO_TCP, socket.TCP_INFO, value,
                         ctypes.byref(size)) == 0
        assert size.value == 1024
        small = value.raw[:8]
        words = struct.unpack("=24I", value.raw[8:104])
        names = """rto ato snd_mss rcv_mss unacked sacked lost retrans fackets last_data_sent
            last_ack_sent last_data_recv last_ack_recv pmtu rcv_ssthresh rtt rttvar snd_ssthresh
            snd_cwnd advmss reordering rcv_rtt rcv_space total_retrans""".split()
        return {"state": small[0], "ca_state": small[1], **dict(zip(names, words))}

    def accept(self, fd, options=b"\x02\x04\x03\xe8", window=1000):
        """The handshake, 100 ms long; (descriptor, the answer to the SYN)."""
        self.give(SYN, 0, options=options)
        answer = self.take()
        self.wait_us(100000)
        self.give(ACK, 1, answer.seq + 1, window=window)
        conn = self.call("accept", fd, None, None)
        assert conn >= 0
        return conn, answer
