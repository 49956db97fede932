//! Files as small as their headers allow.

/// A TIFF structure of one directory: size and orientation.
pub fn tiff(little: bool, width: u32, height: u32, orientation: u16) -> Vec<u8> {
    let u16b = |v: u16| if little { v.to_le_bytes() } else { v.to_be_bytes() };
    let u32b = |v: u32| if little { v.to_le_bytes() } else { v.to_be_bytes() };
    let mut out = if little { b"II".to_vec() } else { b"MM".to_vec() };
    out.extend(u16b(42));
    out.extend(u32b(8));
    out.extend(u16b(3));
    for (tag, value) in [(0x100u16, width), (0x101, height)] {
        out.extend(u16b(tag));
        out.extend(u16b(4));
        out.extend(u32b(1));
        out.extend(u32b(value));
    }
    out.extend(u16b(0x112));
    out.extend(u16b(3));
    out.extend(u32b(1));
    out.extend(u16b(orientation));
    out.extend([0; 6]);
    out
}

pub fn png(width: u32, height: u32, orientation: Option<u16>) -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8; 4], data: &[u8]| {
        out.extend((data.len() as u32).to_be_bytes());
        out.extend(kind);
        out.extend(data);
        out.extend([0; 4]);
    };
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, 2, 0, 0, 0]);
    chunk(b"IHDR", &header);
    chunk(b"IDAT", &[0; 100]);
    if let Some(orientation) = orientation {
        chunk(b"eXIf", &tiff(false, 1, 1, orientation));
    }
    chunk(b"IEND", &[]);
    out
}

pub fn jpeg(width: u16, height: u16, orientation: Option<u16>) -> Vec<u8> {
    let mut out = b"\xFF\xD8".to_vec();
    let mut segment = |kind: u8, data: &[u8]| {
        out.extend([0xFF, kind]);
        out.extend((data.len() as u16 + 2).to_be_bytes());
        out.extend(data);
    };
    segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    if let Some(orientation) = orientation {
        segment(0xE1, &[b"Exif\0\0".to_vec(), tiff(true, 1, 1, orientation)].concat());
    }
    let mut frame = vec![8];
    frame.extend(height.to_be_bytes());
    frame.extend(width.to_be_bytes());
    frame.extend([3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
    segment(0xC0, &frame);
    segment(0xDA, &[3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0]);
    out
}

pub fn webp(width: u32, height: u32, orientation: Option<u16>) -> Vec<u8> {
    let mut body = b"WEBPVP8X".to_vec();
    body.extend(10u32.to_le_bytes());
    body.extend([8, 0, 0, 0]);
    body.extend(&(width - 1).to_le_bytes()[..3]);
    body.extend(&(height - 1).to_le_bytes()[..3]);
    body.extend(b"VP8 ");
    body.extend(7u32.to_le_bytes());
    body.extend([0; 8]);
    if let Some(orientation) = orientation {
        let exif = tiff(true, 1, 1, orientation);
        body.extend(b"EXIF");
        body.extend((exif.len() as u32).to_le_bytes());
        body.extend(exif);
    }
    [b"RIFF".to_vec(), (body.len() as u32).to_le_bytes().to_vec(), body].concat()
}

pub fn gif(width: u16, height: u16) -> Vec<u8> {
    [b"GIF89a".to_vec(), width.to_le_bytes().to_vec(), height.to_le_bytes().to_vec(), vec![0; 8]].concat()
}

pub fn bmp(width: i32, height: i32) -> Vec<u8> {
    let mut out = b"BM".to_vec();
    out.extend([0; 12]);
    out.extend(40u32.to_le_bytes());
    out.extend(width.to_le_bytes());
    out.extend(height.to_le_bytes());
    out.extend([0; 28]);
    out
}

/// An ISO container with one picture: `ftyp`, `meta` with `iprp` > `ipco` > `ispe`.
pub fn avif(width: u32, height: u32, rotation: u8) -> Vec<u8> {
    fn framed(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        [(data.len() as u32 + 8).to_be_bytes().to_vec(), kind.to_vec(), data.to_vec()].concat()
    }
    let ispe = framed(b"ispe", &[0u32.to_be_bytes(), width.to_be_bytes(), height.to_be_bytes()].concat());
    let irot = framed(b"irot", &[rotation]);
    let ipco = framed(b"ipco", &[ispe, irot].concat());
    let meta = framed(b"meta", &[vec![0; 4], framed(b"iprp", &ipco)].concat());
    [framed(b"ftyp", b"avif\0\0\0\0avifmif1"), meta, framed(b"mdat", &[0; 100])].concat()
}

pub fn wav(rate: u32, channels: u16, samples: u32) -> Vec<u8> {
    let data = samples * u32::from(channels) * 2;
    let mut out = b"RIFF".to_vec();
    out.extend((36 + data).to_le_bytes());
    out.extend(b"WAVEfmt ");
    out.extend(16u32.to_le_bytes());
    out.extend(1u16.to_le_bytes());
    out.extend(channels.to_le_bytes());
    out.extend(rate.to_le_bytes());
    out.extend((rate * u32::from(channels) * 2).to_le_bytes());
    out.extend((channels * 2).to_le_bytes());
    out.extend(16u16.to_le_bytes());
    out.extend(b"data");
    out.extend(data.to_le_bytes());
    out.extend(std::iter::repeat_n(0, data as usize));
    out
}

pub fn flac(rate: u32, samples: u64) -> Vec<u8> {
    let mut out = b"fLaC\x80\0\0\x22".to_vec();
    out.extend([0x10, 0, 0x10, 0, 0, 0, 0, 0, 0, 0]);
    // 20 bits of rate, 3 of channels - 1, 5 of bits - 1, 36 of samples.
    let packed = (u64::from(rate) << 44) | (1 << 41) | (15 << 36) | samples;
    out.extend(packed.to_be_bytes());
    out.extend([0; 16]);
    out
}

/// Silent frames of MPEG-1 layer III at 44,100 Hz, with these bit rates in kilobits; `counted`: behind a frame that tells their number.
pub fn mp3(kilobits: &[u32], counted: bool) -> Vec<u8> {
    const RATES: [u32; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    // Frames are a byte longer as often as it takes to keep the rate.
    let mut owed = 0;
    let mut frame = |kilobits: u32| {
        let index = RATES.iter().position(|rate| *rate == kilobits).expect("a bit rate of layer III") as u8;
        owed += 144_000 * kilobits % 44_100;
        let padding = owed / 44_100;
        owed %= 44_100;
        let mut frame = vec![0xFF, 0xFB, index << 4 | (padding as u8) << 1, 0];
        frame.resize((144_000 * kilobits / 44_100 + padding) as usize, 0);
        frame
    };
    let first = frame(128);
    let frames: Vec<u8> = kilobits.iter().flat_map(|rate| frame(*rate)).collect();
    let mut out = Vec::new();
    if counted {
        out = first;
        out[36..44].copy_from_slice(b"Xing\0\0\0\x03");
        out[44..48].copy_from_slice(&(kilobits.len() as u32).to_be_bytes());
        out[48..52].copy_from_slice(&(frames.len() as u32).to_be_bytes());
    }
    [out, frames].concat()
}
