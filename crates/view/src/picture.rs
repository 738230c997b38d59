//! All channels of one call as a picture: PNG, SVG, or frames of a GIF.
//!
//! A channel is a block of greys, black for its lowest value and white for its highest, a cell as a
//! square of `scale` pixels. Channels stand side by side, as many in a line as have room, with a
//! frame of one pixel around each.

use std::borrow::Cow;

use crate::base64;
use crate::planes::Plane;

/// The grey of frames and of what lies beside channels.
const BACKGROUND: u8 = 128;
/// Cells across a line of channels.
const ACROSS: usize = 680;
/// Height of a channel's name in an SVG, in pixels.
const NAME: usize = 14;
/// Hundredths of a second that a frame of a GIF stays.
const DELAY: u16 = 70;

/// Greys in rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greys {
    /// Pixels of a row.
    pub width: usize,
    /// Row by row.
    pub pixels: Vec<u8>,
}

/// A picture that cannot be encoded.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The PNG encoder's message.
    #[error("a picture cannot be written as PNG: {0}")]
    Png(#[from] png::EncodingError),
    /// The GIF encoder's message.
    #[error("an animation cannot be written as GIF: {0}")]
    Gif(#[from] gif::EncodingError),
}

/// Where a channel's cells stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Pixels left of its first cell.
    pub x: usize,
    /// Pixels above its first cell.
    pub y: usize,
}

impl Greys {
    fn filled(width: usize, height: usize) -> Self {
        Self {
            width,
            pixels: vec![BACKGROUND; width * height],
        }
    }

    /// Rows of pixels.
    pub fn height(&self) -> usize {
        self.pixels.len() / self.width.max(1)
    }

    fn put(&mut self, plane: &Plane, at: Block, scale: usize) {
        for (index, grey) in plane.greys().into_iter().enumerate() {
            let (row, column) = (index / plane.columns, index % plane.columns);
            for y in at.y + row * scale..at.y + (row + 1) * scale {
                let first = y * self.width + at.x + column * scale;
                self.pixels[first..first + scale].fill(grey);
            }
        }
    }

    /// The bytes of a PNG, 8 bits of grey, with `text` in it by keyword.
    ///
    /// # Errors
    /// [`PictureError::Png`], which no picture of ours gives.
    pub fn to_png(&self, text: &[(&str, String)]) -> Result<Vec<u8>, PictureError> {
        let mut bytes = Vec::new();
        let (width, height) = (self.width as u32, self.height() as u32);
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        for (keyword, text) in text {
            encoder.add_itxt_chunk((*keyword).to_owned(), text.clone())?;
        }
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.pixels)?;
        writer.finish()?;
        Ok(bytes)
    }
}

/// The places of channels in a picture, its width and its height. `above` pixels are left free over
/// each channel. Channels stand side by side; a low one stands under one of its width that leaves room.
pub fn place(planes: &[Plane], scale: usize, above: usize) -> (Vec<Block>, usize, usize) {
    let (mut line, mut column, mut width) = (Line::at(1), Column::default(), 0);
    let mut blocks = Vec::with_capacity(planes.len());
    for plane in planes {
        let (across, down) = (plane.columns * scale, plane.rows() * scale + above);
        let is_under = column.across == across && column.end + down < line.end;
        if !is_under {
            if line.next > 1 && line.next + across > ACROSS * scale {
                line = Line::at(line.end);
            }
            column = Column {
                x: line.next,
                across,
                end: line.y,
            };
            line.next += across + 1;
        }
        blocks.push(Block {
            x: column.x,
            y: column.end + above,
        });
        column.end += down + 1;
        line.end = line.end.max(column.end);
        width = width.max(line.next);
    }
    (blocks, width.max(1), line.end)
}

/// A line of channels, in pixels.
struct Line {
    y: usize,
    /// Behind the tallest of them and its frame.
    end: usize,
    /// Left of the one that comes next.
    next: usize,
}

impl Line {
    fn at(y: usize) -> Self {
        let (end, next) = (y, 1);
        Self { y, end, next }
    }
}

/// Channels of one width under each other, in pixels.
#[derive(Default)]
struct Column {
    x: usize,
    across: usize,
    /// Behind the last of them and its frame.
    end: usize,
}

/// All channels in one picture.
pub fn draw(planes: &[Plane], scale: usize) -> Greys {
    let (blocks, width, height) = place(planes, scale, 0);
    let mut greys = Greys::filled(width, height);
    for (plane, block) in planes.iter().zip(blocks) {
        greys.put(plane, block, scale);
    }
    greys
}

/// The same as an SVG, with a title and the channels' names as text.
///
/// # Errors
/// As [`Greys::to_png`].
pub fn to_svg(title: &str, planes: &[Plane], scale: usize) -> Result<String, PictureError> {
    let (blocks, width, height) = place(planes, scale, NAME);
    let title = escaped(title);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{}\" font-family=\"sans-serif\">\n\
         <title>{title}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"1\" y=\"14\" font-size=\"13\" font-weight=\"bold\">{title}</text>\n",
        height + HEAD
    );
    for (plane, block) in planes.iter().zip(blocks) {
        let mut greys = Greys::filled(plane.columns, plane.rows());
        greys.put(plane, Block { x: 0, y: 0 }, 1);
        let (across, down) = (plane.columns * scale, plane.rows() * scale);
        let (x, y) = (block.x, block.y + HEAD);
        svg += &format!(
            "<text x=\"{x}\" y=\"{}\" font-size=\"10\">{}</text>\n\
             <image x=\"{x}\" y=\"{y}\" width=\"{across}\" height=\"{down}\" style=\"image-rendering:pixelated\" \
             preserveAspectRatio=\"none\" href=\"data:image/png;base64,{}\"/>\n",
            y - 3,
            escaped(&plane.name),
            base64::encode(&greys.to_png(&[])?)
        );
    }
    Ok(svg + "</svg>\n")
}

/// Height of an SVG's title, in pixels.
const HEAD: usize = 22;

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

/// Pictures as an animation that repeats, all on a canvas of the largest.
///
/// # Errors
/// [`PictureError::Gif`]: a picture of more than 65,535 pixels on a side.
pub fn to_gif(frames: &[Greys]) -> Result<Vec<u8>, PictureError> {
    let side = |length: usize| length.min(usize::from(u16::MAX)) as u16;
    let width = frames.iter().map(|frame| frame.width).max().unwrap_or(1);
    let height = frames.iter().map(Greys::height).max().unwrap_or(1);
    let palette: Vec<u8> = (0..=u8::MAX).flat_map(|grey| [grey; 3]).collect();
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, side(width), side(height), &palette)?;
    encoder.set_repeat(gif::Repeat::Infinite)?;
    for frame in frames {
        let mut whole = Greys::filled(width, height);
        for (row, pixels) in frame.pixels.chunks(frame.width).enumerate() {
            whole.pixels[row * width..row * width + frame.width].copy_from_slice(pixels);
        }
        encoder.write_frame(&gif::Frame {
            width: side(width),
            height: side(height),
            delay: DELAY,
            buffer: Cow::Owned(whole.pixels),
            ..gif::Frame::default()
        })?;
    }
    drop(encoder);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planes() -> Vec<Plane> {
        let plane = |name: &str, columns: usize, rows: usize, high: f32| Plane {
            name: name.to_owned(),
            low: 0.0,
            high,
            columns,
            values: (0..columns * rows)
                .map(|at| at as f32 / (columns * rows) as f32)
                .collect(),
        };
        vec![
            plane("a", 64, 5, 1.0),
            plane("b<", 64, 1, 2.0),
            plane("b2", 64, 1, 2.0),
            plane("b3", 64, 1, 2.0),
            plane("c", 450, 3, 1.0),
            plane("d", 450, 3, 1.0),
        ]
    }

    /// Decodes the picture and gets every channel back.
    #[test]
    fn a_png_holds_the_channels() {
        let (planes, scale) = (planes(), 3);
        let png = draw(&planes, scale)
            .to_png(&[("Title", "x".to_owned())])
            .unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png))
            .read_info()
            .unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut pixels).unwrap();
        let width = frame.width as usize;
        let (blocks, _, height) = place(&planes, scale, 0);
        assert_eq!(frame.height as usize, height);
        for (plane, block) in planes.iter().zip(&blocks) {
            for (at, grey) in plane.greys().into_iter().enumerate() {
                let (row, column) = (at / plane.columns, at % plane.columns);
                for offset in [0, scale - 1] {
                    let y = block.y + row * scale + offset;
                    let x = block.x + column * scale + offset;
                    assert_eq!(pixels[y * width + x], grey, "{} {row} {column}", plane.name);
                }
            }
        }
        let places: Vec<(usize, usize)> = blocks.iter().map(|one| (one.x, one.y)).collect();
        let second = 64 * scale + 2;
        // Low ones stand under each other; the last has no room beside the others.
        assert_eq!(places[..3], [(1, 1), (second, 1), (second, 1 + scale + 1)]);
        assert_eq!(places[3], (second, 1 + 2 * (scale + 1)));
        assert_eq!(places[4], (2 * second - 1, 1));
        assert_eq!(places[5], (1, 5 * scale + 2));
    }

    #[test]
    fn an_svg_names_its_channels() {
        let svg = to_svg("chr1:5 A>C", &planes(), 2).unwrap();
        assert!(svg.contains(">b&lt;</text>") && svg.contains("chr1:5 A&gt;C"));
        assert_eq!(svg.matches("<image ").count(), planes().len());
    }

    #[test]
    fn a_gif_has_its_frames() {
        let frames = [draw(&planes(), 1), draw(&planes()[..1], 1)];
        let gif = to_gif(&frames).unwrap();
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::Indexed);
        let mut decoder = options.read_info(std::io::Cursor::new(gif)).unwrap();
        let mut count = 0;
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            assert_eq!(usize::from(frame.width), frames[0].width);
            let row = &frame.buffer[frames[0].width..][..65];
            let expected = &frames[count].pixels[frames[count].width..][..65];
            assert_eq!(row, expected);
            count += 1;
        }
        assert_eq!(count, 2);
    }
}
