import numpy as np, sklearn
from sklearn.metrics import average_precision_score as ap, roc_auc_score as roc, precision_recall_curve as prc
def show(name, y, s):
    y=np.array(y); s=np.array([-1e30 if v is None else v for v in s], float)
    P=y.sum(); N=len(y)-P
    w=np.where(y==1,1/P,1/N)
    p,r,t=prc(y,s)
    f=2*p*r/np.maximum(p+r,1e-300)
    print(name, "ap",repr(ap(y,s)),"bal",repr(ap(y,s,sample_weight=w)),"roc",repr(roc(y,s)),"f1",repr(f.max()))
    print("   recalls",[float(r[:-1][p[:-1]>=q].max()) if (p[:-1]>=q).any() else None for q in (.7,.8,.9,.95,.99)])
print(sklearn.__version__)
show("ties",[1,0,1,1,0,1,0,1,0,0,1,1],[.9,.8,.8,.7,.7,.7,.5,.5,.3,.3,.3,.1])
show("missing",[1,1,0,1,0,1,1,0,0,1],[5,4,4,None,3,3,2,None,1,None])
# 64-bit LCG of the test: same numbers
st=12345; y=[];s=[]
for i in range(500):
    st=(st*6364136223846793005+1442695040888963407)%2**64; u=(st>>33)/2**31
    st=(st*6364136223846793005+1442695040888963407)%2**64; v=(st>>33)%64
    lab=int(u<0.9); y.append(lab); s.append(float(v+ (12 if lab else 0)))
show("lcg",y,s)
import numpy as np
from scipy.stats import beta
for k,n in ((3,10),(0,7),(7,7),(950,1000)):
    print(k,n, beta.ppf(.025,k,n-k+1) if k else 0, beta.ppf(.975,k+1,n-k) if k<n else 1)
