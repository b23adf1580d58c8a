using Microsoft.Playwright;
using TestKit;

namespace RunbookServer.Tests.Browsing;

/// <summary>
/// Debian's Chromium, as a class fixture: the one without windows, which takes a quarter of the processor time of the whole
/// browser, or that one. Tests that need it are skipped where neither is installed.
/// </summary>
public sealed class Chromium : IAsyncLifetime
{
    private static readonly string? s_program = Array.Find(["/usr/lib/chromium/chromium-headless-shell", "/usr/bin/chromium"], File.Exists);
    private IPlaywright? _driver;
    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        if (s_program is not null)
        {
            // Five seconds are not enough where several browsers share a busy machine.
            Assertions.SetDefaultExpectTimeout((float)Patience.Limit.TotalMilliseconds);
            _driver = await Playwright.CreateAsync();
            _browser = await _driver.Chromium.LaunchAsync(new() { ExecutablePath = s_program, Args = ["--no-sandbox", "--disable-gpu", "--disable-quic"] });
        }
    }

    /// <summary>A window of its own, without cookies, as wide and high as what a phone shows of a page.</summary>
    public async Task<IPage> OpenAsync(bool javaScript = true, int width = 390, int height = 664, ColorScheme colours = ColorScheme.Light)
    {
        Assert.SkipWhen(_browser is null, "Debian's package chromium-headless-shell is not installed here.");
        var context = await _browser!.NewContextAsync(new()
        {
            JavaScriptEnabled = javaScript,
            ViewportSize = new() { Width = width, Height = height },
            ColorScheme = colours,
        });
        context.SetDefaultTimeout((float)Patience.Limit.TotalMilliseconds);
        return await context.NewPageAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.CloseAsync();
        }

        _driver?.Dispose();
    }
}
