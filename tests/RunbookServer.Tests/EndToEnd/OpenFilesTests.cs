using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using RunbookServer.Hosting;
using TestKit;

namespace RunbookServer.Tests.EndToEnd;

public sealed class OpenFilesTests
{
    [Theory]
    [InlineData(1_024UL, 512)]
    [InlineData(ulong.MaxValue, 5_000)]
    [InlineData(600UL, 100)]
    [InlineData(400UL, 32)]
    [InlineData(10UL, 32)]
    public void Connections_LeaveTheHostTheFilesThatItNeeds(ulong openFiles, long connections) => ConnectionLimit.Of(openFiles).ShouldBe(connections);

    /// <summary>More callers than the system has files for: the host stays well, and answers as soon as some have gone.</summary>
    [Fact]
    public async Task MoreConnectionsThanOpenFiles_AreSurvived()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Limits of open files are set as Linux does it.");
        var home = Directory.CreateTempSubdirectory("runbooks-");
        var port = FreePort.Next();
        var program = Path.Combine(AppContext.BaseDirectory, "runbook.dll");
        var start = new ProcessStartInfo("bash", ["-c", $"ulimit -n 600; exec dotnet '{program}' serve --no-practice --port {port} --data '{home.FullName}/data'"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var host = Process.Start(start)!;
        var callers = new List<Socket>();
        Task<string> said = Task.FromResult(""), complained = said;
        try
        {
            (said, complained) = (host.StandardOutput.ReadToEndAsync(Cancel), host.StandardError.ReadToEndAsync(Cancel));
            using var http = new HttpClient { BaseAddress = new Uri($"http://localhost:{port}"), Timeout = Patience.Limit };
            await HealthAsync(http, host);
            for (var caller = 0; caller < 700; caller++)
            {
                callers.Add(new Socket(SocketType.Stream, ProtocolType.Tcp));
                await TryConnectAsync(callers[^1], port);
            }

            await Patience.UntilAsync(() => Task.FromResult(callers.Count(IsCutOff) >= 600), () => $"{callers.Count(IsCutOff)} callers were cut off.", TimeSpan.FromMilliseconds(100));
            (await http.GetAsync("healthz", Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK, "who came before them is served");
            callers.ForEach(caller => caller.Dispose());
            await HealthAsync(http, host);
            File.Exists(Path.Combine(home.FullName, "data", "runbooks.db")).ShouldBeTrue();
            host.HasExited.ShouldBeFalse();
        }
        catch (Exception failure) when (host.HasExited)
        {
            throw new ShouldAssertException($"The host ended with {host.ExitCode}: {await said} {await complained}", failure);
        }
        finally
        {
            host.Kill(entireProcessTree: true);
            await host.WaitForExitAsync(CancellationToken.None);
            home.Delete(recursive: true);
        }
    }

    /// <summary>Who comes beyond the limit is cut off, sometimes before the connection is seen to be there.</summary>
    private static async Task TryConnectAsync(Socket caller, int port)
    {
        try
        {
            await caller.ConnectAsync(IPAddress.Loopback, port, Cancel);
        }
        catch (SocketException cut) when (cut.SocketErrorCode == SocketError.ConnectionReset)
        {
        }
    }

    private static bool IsCutOff(Socket caller) => !caller.Connected || (caller.Poll(0, SelectMode.SelectRead) && caller.Available == 0);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Until it says that it is well: it starts, or is busy closing connections.</summary>
    private static Task HealthAsync(HttpClient http, Process host) => Patience.UntilAsync(
        async () =>
        {
            try
            {
                using var answer = await http.GetAsync("healthz", Cancel);
                answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync(Cancel));
                return true;
            }
            catch (HttpRequestException) when (!host.HasExited)
            {
                return false;
            }
        },
        () => "The host does not answer.",
        TimeSpan.FromMilliseconds(100));
}
