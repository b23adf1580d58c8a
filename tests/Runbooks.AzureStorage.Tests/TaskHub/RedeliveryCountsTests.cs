namespace Runbooks.AzureStorage.Tests.TaskHub;

public sealed class RedeliveryCountsTests
{
    [Theory]
    [InlineData("""{"TaskMessage":{"OrchestrationInstance":{"InstanceId":"261123-0300-000001"}},"CompressedBlobName":null}""", "261123-0300-000001")]
    [InlineData("""{"TaskMessage":null,"CompressedBlobName":"261123-0300-000001/message-0a-TaskCompleted.json.gz"}""", "261123-0300-000001")]
    [InlineData("no JSON", null)]
    public void Message_NamesItsInstanceWhereverItsContentLies(string text, string? instance) =>
        RedeliveryCounts.InstanceOf(text).ShouldBe(instance);
}
