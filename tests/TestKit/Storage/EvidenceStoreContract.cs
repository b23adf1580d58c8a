using System.Text;
using Runbooks.Model.Storage;
using Shouldly;
using Xunit;

namespace TestKit.Storage;

/// <summary>What every <see cref="IEvidenceStore"/> has to keep.</summary>
public abstract class EvidenceStoreContract
{
    protected abstract IEvidenceStore Evidence { get; }

    protected static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task KeptEvidence_IsFoundByItsReference()
    {
        var reference = await Save("i1", "pod.log", "last words");
        reference.ShouldBe("i1/pod.log");
        (await Read(reference)).ShouldBe("last words");
    }

    [Fact]
    public async Task SameNameAgain_ReplacesIt()
    {
        await Save("i1", "pod.log", "a longer first attempt");
        await Save("i1", "pod.log", "second");
        (await Read("i1/pod.log")).ShouldBe("second");
    }

    [Fact]
    public async Task Delete_RemovesOneIncidentsEvidenceOnly()
    {
        await Save("i1", "a.log", "a");
        await Save("i1", "b.log", "b");
        await Save("i10", "c.log", "c");

        await Evidence.DeleteAsync("i1", Now);
        await Evidence.DeleteAsync("never", Now);

        (await Evidence.OpenAsync("i1/a.log", Now)).ShouldBeNull();
        (await Evidence.OpenAsync("i1/b.log", Now)).ShouldBeNull();
        (await Read("i10/c.log")).ShouldBe("c");
    }

    [Theory]
    [InlineData("")]
    [InlineData("none/none")]
    [InlineData("i1")]
    [InlineData("i1/")]
    [InlineData("/pod.log")]
    [InlineData("i1/../i1/pod.log")]
    [InlineData("../../etc/passwd")]
    [InlineData("../etc")]
    [InlineData("i1/..")]
    [InlineData("i1/pod.log\0")]
    [InlineData("i1\\pod.log")]
    [InlineData("/etc/passwd")]
    public async Task ReferenceThatIsNone_IsNotFound(string reference)
    {
        await Save("i1", "pod.log", "x");
        (await Evidence.OpenAsync(reference, Now)).ShouldBeNull();
    }

    [Theory]
    [InlineData("i1", "../escape")]
    [InlineData("..", "escape")]
    [InlineData("i1", ".hidden")]
    [InlineData("i1", "a b")]
    [InlineData("i1", "")]
    [InlineData("a/b", "c")]
    [InlineData("i1", "a:stream")]
    public async Task NameThatIsNone_IsRefused(string incident, string name) =>
        await Save(incident, name, "x").ShouldThrowAsync<ArgumentException>();

    [Fact]
    public async Task LargeEvidence_IsKeptWhole()
    {
        var text = new string('x', 3_000_000) + "end";
        (await Read(await Save("i1", "big.log", text))).ShouldBe(text);
    }

    [Fact]
    public async Task ContentThatBreaksOff_LeavesWhatWasThere()
    {
        await Save("i1", "pod.log", "whole");
        await using var broken = new BreakingStream();
        await Evidence.SaveAsync("i1", "pod.log", broken, Now).ShouldThrowAsync<Exception>();
        (await Read("i1/pod.log")).ShouldBe("whole");
    }

    protected async Task<string> Save(string incident, string name, string text)
    {
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(text));
        return await Evidence.SaveAsync(incident, name, content, Now);
    }

    protected async Task<string> Read(string reference)
    {
        await using var content = (await Evidence.OpenAsync(reference, Now)).ShouldNotBeNull();
        using var reader = new StreamReader(content);
        return await reader.ReadToEndAsync(Now);
    }
}
